import JazzySwift
import JazzyTesting
import Testing

@Suite("A probe of a handler that is a task")
struct TaskProbeTests {
    actor Room {
        private(set) var members: Set<JazzyWebSocket> = []
        private(set) var lines: [String] = []

        func join(_ ws: JazzyWebSocket) { members.insert(ws) }
        func leave(_ ws: JazzyWebSocket) { members.remove(ws) }

        func input(_ ws: JazzyWebSocket, _ line: String) async {
            await Task.yield()
            lines.append(line)
            for member in members where member != ws { member.send("\(lines.count): \(line)") }
            ws.send("ok")
        }
    }

    static func server(of room: Room) -> JazzyServer {
        let server = JazzyServer()
        server.ws("/") { ws, messages in
            await room.join(ws)
            ws.send("welcome")
            do {
                for try await message in messages { await room.input(ws, message.text) }
            } catch is WsError {}
            await room.leave(ws)
        }
        return server
    }

    @Test("What it did before its first message, and for each, is done when the probe returns")
    func handling() async throws {
        let room = Room()
        let server = Self.server(of: room)
        let (ada, bob) = (JazzyProbe(server), JazzyProbe(server))
        try await ada.open()
        try await bob.open()
        #expect(bob.sent == ["welcome"])
        for number in 1...100 {
            try await ada.text("\(number)")
            #expect(bob.sent.last == "\(number): \(number)")
            #expect(ada.sent.last == "ok")
        }
        #expect(await room.lines.count == 100)
    }

    @Test("What it does after its connection's end is done when the probe returns")
    func leaving() async throws {
        let room = Room()
        let server = Self.server(of: room)
        let (ada, bob, eve) = (JazzyProbe(server), JazzyProbe(server), JazzyProbe(server))
        for probe in [ada, bob, eve] { try await probe.open() }
        #expect(await room.members.count == 3)
        try await ada.close()
        #expect(await room.members.count == 2)
        try await bob.lose()
        #expect(await room.members.count == 1)
        try await eve.raw(JazzyTestFrame("not masked").bytes)
        #expect(await room.members.isEmpty)
        #expect(ada.closed == WsClose(code: 1_000))
        #expect([ada, bob, eve].allSatisfy { $0.thrown.isEmpty }, "what the end of a connection throws is expected")
    }

    @Test("When it returns or throws, the connection's end is there")
    func ends() async throws {
        struct Mishap: Error {}
        var options = JazzyOptions()
        options.log = { _, _ in }
        for text in ["return", "throw"] {
            let probe = JazzyProbe(serverOptions: options) { ws, messages in
                for try await message in messages {
                    if message.text == "throw" { throw Mishap() }
                    ws.send(message.text)
                    return
                }
            }
            try await probe.open()
            try await probe.text(text)
            #expect(probe.closeFrame?.code == (text == "throw" ? 1_011 : 1_000))
            #expect(probe.closed?.cause == .application)
            #expect(probe.thrown.count == (text == "throw" ? 1 : 0))
            #expect(probe.sent == (text == "throw" ? [] : ["return"]))
        }
    }

    @Test("One that asks for no message is waited for by what it sends")
    func dashboard() async throws {
        let probe = JazzyProbe { ws, _ in
            var tick = 0
            while !Task.isCancelled {
                tick += 1
                ws.send("\(tick)")
                try await Task.sleep(for: .milliseconds(1))
            }
        }
        try await probe.open(untilHandled: false)
        for tick in 1...5 { #expect(try await probe.message() == "\(tick)") }
        try await probe.close()
        #expect(probe.closed == WsClose(code: 1_000))
    }

    @Test("Many messages at once reach it in order")
    func order() async throws {
        let probe = JazzyProbe { ws, messages in
            for try await message in messages {
                await Task.yield()
                ws.send(message.text)
            }
        }
        try await probe.open()
        for number in 1...999 { try await probe.text("\(number)", untilHandled: false) }
        try await probe.text("1000")
        #expect(probe.sent == (1...1_000).map { "\($0)" })
    }
}

import JazzySwift
import Testing

@Suite("What flows, and what waits", .ownThreads)
struct FlowTests {
    static let executions = [JazzyExecution.loop, .workers]

    @Test("While reading is paused nothing is delivered, and it is when reading goes on", arguments: executions)
    func pause(execution: JazzyExecution) throws {
        let (messages, paused) = (Recorder<String>(), Recorder<JazzyWebSocket>())
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(execution: execution)) { ws, event, message in
                guard event == .message else { return }
                messages.record(message.text)
                guard message.text == "pause" else { return }
                let status = ws.pauseReading()
                #expect(status == .sent || status == .queued)
                ws.send("paused")
                paused.record(ws)
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send("pause")
            #expect(try client.receiveText() == "paused")
            let ws = try paused.values(count: 1)[0]
            ws.pauseReading()
            try client.send("one")
            try client.send("two")
            #expect(throws: TestFailure.self) {
                try eventually("a message", within: .milliseconds(200)) { messages.values.count > 1 }
            }
            #expect(ws.resumeReading() == .queued)
            #expect(try messages.values(count: 3) == ["pause", "one", "two"])
            try client.sendClose(code: 1000)
            try eventually("the connection is gone") { ws.remoteAddress == nil }
            #expect(ws.pauseReading() == .closed)
            #expect(ws.resumeReading() == .closed)
        }
    }

    static let limited = JazzyRouteOptions(backpressureLimit: 4_096, backpressurePolicy: .report)

    /// A client that reads nothing before the server had to drop something: one that reads at once may take all that a
    /// handler sends, as fast as it is sent.
    static func slowClient(of server: JazzyServer) throws -> TestClient {
        let client = try TestClient(port: server.port, path: "/")
        try eventually("something is dropped") { server.droppedCount > 0 }
        return client
    }

    /// Sends more than the kernel buffers for a peer that does not read. On a worker the status of a drop is not known
    /// at once.
    static func overfill(_ ws: JazzyWebSocket) {
        let text = String(repeating: "x", count: 1_000)
        var dropped = 0
        for _ in 1...20_000 where dropped < 2 {
            if ws.send(text) == .dropped { dropped += 1 }
        }
    }

    @Test("A route is told what was dropped, once, and that output has drained", arguments: executions)
    func dropAndDrain(execution: JazzyExecution) throws {
        let journal = Recorder<String>()
        var options = Self.limited
        options.execution = execution
        try withServer {
            let onDrain: JazzyOutputHandler = { ws in
                journal.record("drained")
                ws.send("go on")
            }
            $0.ws("/", options: options, onDrain: onDrain, onDrop: { _ in journal.record("dropped") }) { ws, event, _ in
                guard event == .open else { return }
                Self.overfill(ws)
                journal.record("full")
            }
        } body: { server in
            let client = try Self.slowClient(of: server)
            while try client.receiveText() != "go on" {}
            // From a worker the messages reach the loop one by one, so drops and drains may alternate.
            let entries = execution == .loop ? journal.values : Array(journal.values.prefix(3))
            #expect(entries == ["full", "dropped", "drained"])
            #expect(server.statistics.dropped == server.droppedCount)
            #expect(server.droppedCount >= 2)
        }
    }

    @Test("On a route with a state these have it, too")
    func stateful() throws {
        try withServer {
            $0.ws(
                "/", options: Self.limited, state: { "" }, onDrain: { ws in ws.send(ws.state + " drained") },
                onDrop: { ws in ws.state += " dropped" }
            ) { ws, event, _ in
                guard event == .open else { return }
                ws.state = "full"
                Self.overfill(ws.webSocket)
            }
        } body: { server in
            let client = try Self.slowClient(of: server)
            var text = ""
            repeat { text = try client.receiveText() } while text.hasPrefix("x")
            #expect(text == "full dropped drained")
        }
    }

    @Test("If one of these throws, that is as if the handler had thrown", arguments: [true, false])
    func throwing(atDrain: Bool) throws {
        struct Mishap: Error {}
        let log = Recorder<String>()
        try withServer(options: UpgradeTests.options(log)) {
            let onDrain: JazzyOutputHandler = { _ in if atDrain { throw Mishap() } }
            let onDrop: JazzyOutputHandler = { _ in if !atDrain { throw Mishap() } }
            $0.ws("/", options: Self.limited, onDrain: onDrain, onDrop: onDrop) { ws, event, _ in
                if event == .open { Self.overfill(ws) }
            }
        } body: { server in
            let client = try Self.slowClient(of: server)
            var frame = try client.receive()
            while frame.opcode == .text { frame = try client.receive() }
            #expect(frame == .init(opcode: .close, payload: [0x03, 0xF3]))
            #expect(log.values == ["error: \(client.localAddress): the handler of / threw Mishap"])
        }
    }
}

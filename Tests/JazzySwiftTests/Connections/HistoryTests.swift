import JazzySwift
import JazzyTesting
import Testing

@Suite("History", .ownThreads)
struct HistoryTests {
    /// The route `/` subscribes to the topic of its query, and answers with what came of it.
    static func feed(_ server: JazzyServer) {
        server.history("room/", keep: 5, for: .seconds(60))
        server.ws("/") { ws, event, message in
            if event == .message { ws.publish("room/7", message.text) }
            guard event == .open, let request = ws.request else { return }
            let topic = request.queryValue("topic") ?? "room/7"
            let result =
                if let recent = request.queryValue("recent").flatMap({ Int($0) }) {
                    ws.subscribe(topic, recent: recent)
                } else {
                    ws.subscribe(topic, since: request.queryValue("since").flatMap(JazzyPosition.init))
                }
            ws.send("\(result.status) \(result.recovered) \(result.count) \(result.position.offset)")
        }
    }

    static func receive(_ count: Int, from client: TestClient) throws -> [String] {
        try (0..<count).map { _ in try client.receiveText() }
    }

    @Test("Who comes back gets what was missed, and then what follows")
    func resume() throws {
        try withServer(options: TopicTests.twoLoops, routes: Self.feed) { server in
            let first = try TestClient(port: server.port, path: "/")
            #expect(try first.receiveText() == "sent false 0 0")
            for number in 1...3 { server.publish("room/7", "\(number)") }
            #expect(try Self.receive(3, from: first) == ["1", "2", "3"])
            first.reset()
            for number in 4...6 { server.publish("room/7", "\(number)") }
            var position = server.recent("room/7", 0).position
            #expect(position.offset == 6)
            position.offset = 3
            let second = try TestClient(port: server.port, path: "/?since=\(position)")
            #expect(try Self.receive(4, from: second) == ["4", "5", "6", "sent true 3 3"])
            server.publish("room/7", "7")
            try second.send("8")
            #expect(try Self.receive(2, from: second) == ["7", "8"])
        }
    }

    @Test(
        "Who cannot continue gets nothing old",
        arguments: ["0000000000000000:1", "nonsense", "", "ffffffffffffffff:18446744073709551615"])
    func noRecovery(since: String) throws {
        try withServer(routes: Self.feed) { server in
            for number in 1...8 { server.publish("room/7", "\(number)") }
            let client = try TestClient(port: server.port, path: "/?since=\(since)")
            #expect(try client.receiveText() == "sent false 0 8")
            server.publish("room/7", "9")
            #expect(try client.receiveText() == "9")
        }
    }

    @Test("What is no longer kept is not recovered in part")
    func forgotten() throws {
        try withServer(routes: Self.feed) { server in
            for number in 1...8 { server.publish("room/7", "\(number)") }
            let epoch = server.recent("room/7", 0).position.epoch
            for (offset, answer) in [(2, "sent false 0 8"), (9, "sent false 0 8")] {
                let position = JazzyPosition(epoch: epoch, offset: UInt64(offset))
                let client = try TestClient(port: server.port, path: "/?since=\(position)")
                #expect(try client.receiveText() == answer)
            }
            let client = try TestClient(port: server.port, path: "/?since=\(JazzyPosition(epoch: epoch, offset: 3))")
            #expect(try Self.receive(6, from: client) == ["4", "5", "6", "7", "8", "sent true 5 3"])
        }
    }

    @Test("Newcomers get the last messages first")
    func recent() throws {
        try withServer(routes: Self.feed) { server in
            #expect(server.recent("room/7", 3).messages.isEmpty)
            for number in 1...8 { server.publish("room/7", "\(number)") }
            #expect(server.recent("room/7", 3).messages.map(\.text) == ["6", "7", "8"])
            #expect(server.recent("room/7", 100).messages.count == 5)
            #expect(server.recent("lobby", 3).messages.isEmpty)
            let client = try TestClient(port: server.port, path: "/?recent=2")
            #expect(try Self.receive(3, from: client) == ["7", "8", "sent false 2 6"])
        }
        #expect(JazzyServer().recent("room/7", 3).messages.isEmpty)
    }

    @Test("A topic without history has no positions")
    func noHistory() throws {
        try withServer(routes: Self.feed) { server in
            let client = try TestClient(port: server.port, path: "/?topic=lobby")
            #expect(try client.receiveText() == "dropped false 0 0")
        }
    }

    @Test(
        "A position is its text",
        arguments: [
            ("9f3c00000000a001:57", JazzyPosition(epoch: 0x9f3c_0000_0000_a001, offset: 57)),
            ("0000000000000000:0", JazzyPosition(epoch: 0, offset: 0)),
        ])
    func positions(text: String, position: JazzyPosition) {
        #expect(position.description == text)
        #expect(JazzyPosition(text) == position)
    }

    @Test("Nothing else is a position", arguments: ["", ":", "57", "9f3c00000000a001", "9F3C00000000A001:57", "9:1"])
    func noPositions(text: String) {
        #expect(JazzyPosition(text) == nil)
    }

    @Test("Histories that cannot be are refused when the server is to listen")
    func refused() {
        let cases: [(String, (JazzyServer) -> Void)] = [
            ("keep of a history is 0", { $0.history("a", keep: 0, for: .seconds(1)) }),
            ("for of a history is", { $0.history("a", keep: 1, for: .milliseconds(999)) }),
            ("bytes of a history is 0", { $0.history("a", keep: 1, for: .seconds(1), bytes: 0) }),
            (
                "have a history already",
                {
                    $0.history("a", keep: 1, for: .seconds(1))
                    $0.history("a", keep: 2, for: .seconds(1))
                }
            ),
        ]
        for (words, setUp) in cases {
            let server = JazzyServer()
            setUp(server)
            let error = #expect(throws: JazzyError.self) { try server.listen(host: "127.0.0.1", port: 0) }
            #expect(error?.message.contains(words) == true, "\(words)")
        }
    }
}

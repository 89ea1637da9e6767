import JazzySwift
import Testing

@Suite("Topics", .ownThreads)
struct TopicTests {
    /// Two event loops, with every second connection on each.
    static let twoLoops = {
        var options = JazzyOptions()
        options.threads = 2
        options.accepting = .handOver
        return options
    }()

    /// Open connections to the route `/`.
    static func connect(_ count: Int, to server: JazzyServer, _ opened: Recorder<JazzyWebSocket>) throws -> [TestClient]
    {
        try (1...count).map { number in
            let client = try TestClient(port: server.port, path: "/")
            _ = try opened.values(count: number)
            return client
        }
    }

    @Test("What a server publishes reaches every subscriber on every loop, in one order")
    func publish() throws {
        let opened = Recorder<JazzyWebSocket>()
        try withServer(options: Self.twoLoops) {
            $0.ws("/") { ws, event, _ in
                guard event == .open else { return }
                // Every third connection takes no part.
                if opened.values.count % 3 < 2 { ws.subscribe("room/7") }
                opened.record(ws)
            }
        } body: { server in
            let clients = try Self.connect(12, to: server, opened)
            #expect(server.subscriberCount("room/7") == 8)
            for number in 1...20 { #expect(server.publish("room/7", "number \(number)") == .sent) }
            #expect(server.publish("room/8", "to nobody") == .sent)
            for ws in opened.values { ws.send("the end") }
            for (number, client) in clients.enumerated() {
                let expected = number % 3 < 2 ? (1...20).map { "number \($0)" } : []
                #expect(try (expected + ["the end"]).map { _ in try client.receiveText() } == expected + ["the end"])
            }
            #expect(server.droppedCount == 0)
        }
    }

    @Test("What a connection publishes reaches all subscribers but itself, on every loop")
    func publishToOthers() throws {
        let opened = Recorder<JazzyWebSocket>()
        try withServer(options: Self.twoLoops) {
            $0.ws("/") { ws, event, message in
                if event == .open {
                    ws.subscribe("room/7")
                    opened.record(ws)
                } else if event == .message {
                    #expect(ws.publish("room/7", message.bytes, kind: message.kind) == .sent)
                    ws.send("published")
                }
            }
        } body: { server in
            let clients = try Self.connect(6, to: server, opened)
            for (number, sender) in clients.enumerated() {
                try sender.send("from \(number)")
                for client in clients {
                    #expect(try client.receiveText() == (client === sender ? "published" : "from \(number)"))
                }
            }
            // Also from another thread.
            #expect(opened.values[0].publish("room/7", "from outside") == .sent)
            opened.values[0].send("not to itself")
            for (number, client) in clients.enumerated() {
                #expect(try client.receiveText() == (number == 0 ? "not to itself" : "from outside"))
            }
        }
    }

    struct Publishing: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let opcode: TestClient.Opcode
        let payload: [UInt8]
        let byConnection: @Sendable (JazzyWebSocket) throws -> JazzySendStatus
        let byServer: @Sendable (JazzyServer) throws -> JazzySendStatus
    }

    static let publishings = [
        Publishing(testDescription: "a string", opcode: .text, payload: Array("Grüße 🎷".utf8)) {
            $0.publish("topic", "Grüße 🎷")
        } byServer: {
            $0.publish("topic", "Grüße 🎷")
        },
        Publishing(testDescription: "an array", opcode: .binary, payload: [0, 255]) {
            $0.publish("topic", [0, 255])
        } byServer: {
            $0.publish("topic", [0, 255])
        },
        Publishing(testDescription: "an array as text", opcode: .text, payload: [0x41]) {
            $0.publish("topic", [0x41], kind: .text)
        } byServer: {
            $0.publish("topic", [0x41], kind: .text)
        },
        Publishing(testDescription: "bytes that are not stored anywhere", opcode: .binary, payload: [1, 2, 3]) {
            $0.publish("topic", (1...3).lazy.map { UInt8($0) })
        } byServer: {
            $0.publish("topic", (1...3).lazy.map { UInt8($0) })
        },
        Publishing(testDescription: "a raw span", opcode: .binary, payload: [4, 5]) {
            let bytes: [UInt8] = [4, 5]
            return $0.publish("topic", bytes.span.bytes)
        } byServer: {
            let bytes: [UInt8] = [4, 5]
            return $0.publish("topic", bytes.span.bytes)
        },
        Publishing(testDescription: "no bytes", opcode: .binary, payload: []) {
            $0.publish("topic", [])
        } byServer: {
            $0.publish("topic", [])
        },
        Publishing(testDescription: "JSON, sorted", opcode: .text, payload: Array(#"{"a":1,"b":2}"#.utf8)) {
            try $0.publish("topic", json: ["b": 2, "a": 1])
        } byServer: {
            try $0.publish("topic", json: ["b": 2, "a": 1])
        },
    ]

    @Test("What is published arrives as what it is", arguments: publishings)
    func shapes(publishing: Publishing) throws {
        let opened = Recorder<JazzyWebSocket>()
        try withServer {
            $0.ws("/") { ws, event, _ in
                guard event == .open else { return }
                ws.subscribe("topic")
                opened.record(ws)
            }
        } body: { server in
            let clients = try Self.connect(2, to: server, opened)
            let expected = TestClient.Frame(opcode: publishing.opcode, payload: publishing.payload)
            #expect(try publishing.byConnection(opened.values[0]) == .sent)
            #expect(try clients[1].receive() == expected)
            #expect(try publishing.byServer(server) == .sent)
            for client in clients { #expect(try client.receive() == expected) }
        }
    }

    @Test(
        "A connection is subscribed until it unsubscribes, and counts once",
        arguments: ["room/7", "", "Räume/🎷", "a\0b", String(repeating: "long", count: 1_000)])
    func subscribe(topic: String) throws {
        let seen = Recorder<String>()
        try withServer {
            $0.ws("/") { [weak server = $0] ws, event, _ in
                guard event == .open, let server else { return }
                func look() {
                    #expect(ws.isSubscribed(to: topic) == ws.topics.contains(topic))
                    seen.record("\(ws.topics.count) \(ws.isSubscribed(to: topic)) \(server.subscriberCount(topic))")
                }
                look()
                #expect(ws.subscribe(topic) == .sent)
                look()
                #expect(ws.subscribe(topic) == .sent)
                look()
                #expect(ws.subscribe(topic + ".") == .sent)
                #expect(Set(ws.topics) == [topic, topic + "."])
                look()
                #expect(ws.unsubscribe(topic) == .sent)
                look()
                #expect(ws.unsubscribe(topic) == .sent)
                #expect(ws.topics == [topic + "."])
            }
        } body: { server in
            _ = try TestClient(port: server.port, path: "/")
            #expect(try seen.values(count: 5) == ["0 false 0", "1 true 1", "1 true 1", "2 true 1", "1 false 0"])
        }
    }

    @Test("Another thread may subscribe a connection, which leaves its topics when it closes")
    func fromOutside() throws {
        let opened = Recorder<JazzyWebSocket>()
        try withServer {
            $0.ws("/") { ws, event, _ in if event == .open { opened.record(ws) } }
        } body: { server in
            let client = try Self.connect(1, to: server, opened)[0]
            let ws = opened.values[0]
            #expect(ws.subscribe("one") == .queued)
            #expect(ws.subscribe("two") == .queued)
            try eventually("it is subscribed") { ws.isSubscribed(to: "two") }
            #expect(Set(ws.topics) == ["one", "two"])
            #expect(ws.unsubscribe("one") == .queued)
            try eventually("it is not subscribed") { !ws.isSubscribed(to: "one") }
            #expect(ws.topics == ["two"])
            try client.sendClose(code: 1000)
            _ = try client.receive()
            try eventually("it left its topics") { server.subscriberCount("two") == 0 }
            #expect(ws.topics.isEmpty)
            #expect(!ws.isSubscribed(to: "two"))
            #expect(ws.subscribe("two") == .closed)
            #expect(ws.unsubscribe("two") == .closed)
            #expect(ws.publish("two", "too late") == .closed)
        }
    }

    @Test("Only text and binary are published", arguments: [WsMessageKind.ping, .pong])
    func controlFrames(kind: WsMessageKind) throws {
        let opened = Recorder<JazzyWebSocket>()
        try withServer {
            $0.ws("/") { ws, event, _ in if event == .open { opened.record(ws) } }
        } body: { server in
            let clients = try Self.connect(1, to: server, opened)
            #expect(opened.values[0].publish("topic", [1], kind: kind) == .dropped)
            #expect(server.publish("topic", [1], kind: kind) == .dropped)
            withExtendedLifetime(clients) {}
        }
    }

    @Test("A server that does not listen has no subscribers, and publishes nothing")
    func notListening() {
        let server = JazzyServer()
        #expect(server.publish("topic", "text") == .closed)
        #expect(server.subscriberCount("topic") == 0)
        #expect(server.droppedCount == 0)
    }

    @Test(
        "A subscriber that does not read misses messages or is closed, as its route says, and the others never notice",
        arguments: [(JazzyBackpressurePolicy.drop, TestClient.Opcode.text), (.close, .close)])
    func slowSubscriber(policy: JazzyBackpressurePolicy, last: TestClient.Opcode) throws {
        let opened = Recorder<JazzyWebSocket>()
        var options = JazzyOptions()
        options.backpressureLimit = 65_536
        // So that a message has reached or missed everybody when one has it.
        options.threads = 1
        try withServer(options: options) {
            $0.ws("/", options: JazzyRouteOptions(backpressurePolicy: policy)) { ws, event, _ in
                guard event == .open else { return }
                ws.subscribe("topic")
                opened.record(ws)
            }
        } body: { server in
            let clients = try Self.connect(2, to: server, opened)
            let bytes = [UInt8](repeating: 7, count: 16_384)
            // The kernel's buffers take some megabytes, and nothing is gained by more than these 64.
            var count = 0
            while server.droppedCount == 0, count < 4_096 {
                #expect(server.publish("topic", bytes) == .sent)
                #expect(try clients[1].receive().payload == bytes)
                count += 1
            }
            #expect(server.droppedCount == 1)
            #expect(opened.values[0].isOpen == (policy == .drop))
            #expect(opened.values[1].isOpen)
            for _ in 1..<count { #expect(try clients[0].receive().payload.count == bytes.count) }
            opened.values[0].send("still there")
            let frame = try clients[0].receive()
            #expect(frame.opcode == last)
            #expect(frame.payload.starts(with: policy == .drop ? Array("still there".utf8) : [0x03, 0xF5]))
        }
    }
}

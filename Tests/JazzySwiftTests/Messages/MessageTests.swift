import JazzySwift
import Testing

@Suite("Messages on the wire", .ownThreads)
struct MessageTests {
    struct Sending: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let opcode: TestClient.Opcode
        let payload: [UInt8]
        let send: @Sendable (JazzyWebSocket) throws -> Void
    }

    static let sendings = [
        Sending(testDescription: "a string", opcode: .text, payload: Array("Grüße 🎷".utf8)) { $0.send("Grüße 🎷") },
        Sending(testDescription: "an empty string", opcode: .text, payload: []) { $0.send("") },
        Sending(testDescription: "a long string", opcode: .text, payload: .init(repeating: 0x61, count: 70_000)) {
            $0.send(String(repeating: "a", count: 70_000))
        },
        Sending(testDescription: "an array", opcode: .binary, payload: [0, 255]) { $0.send([0, 255]) },
        Sending(testDescription: "no bytes", opcode: .binary, payload: []) { $0.send([]) },
        Sending(testDescription: "an array as text", opcode: .text, payload: [0x41]) { $0.send([0x41], kind: .text) },
        Sending(testDescription: "a slice", opcode: .binary, payload: [2, 3]) { $0.send([1, 2, 3][1...]) },
        Sending(testDescription: "bytes that are not stored anywhere", opcode: .binary, payload: [1, 2, 3]) {
            $0.send((1...3).lazy.map { UInt8($0) })
        },
        Sending(testDescription: "a raw span", opcode: .binary, payload: [4, 5]) {
            let bytes: [UInt8] = [4, 5]
            $0.send(bytes.span.bytes)
        },
        Sending(testDescription: "a ping", opcode: .ping, payload: []) { $0.ping() },
        Sending(testDescription: "a ping with a payload", opcode: .ping, payload: [6]) { $0.ping([6]) },
        Sending(testDescription: "an unasked pong", opcode: .pong, payload: [7]) { $0.send([7], kind: .pong) },
        Sending(testDescription: "JSON, sorted", opcode: .text, payload: Array(#"{"a/b":[1],"z":"é"}"#.utf8)) {
            try $0.send(json: Thing())
        },
    ]

    struct Thing: Encodable {
        var z = "é"
        var ab = [1]

        enum CodingKeys: String, CodingKey {
            case z
            case ab = "a/b"
        }
    }

    @Test("What is sent arrives", arguments: sendings)
    func send(_ sending: Sending) throws {
        try withServer {
            $0.ws("/") { ws, event, _ in if event == .open { try sending.send(ws) } }
        } body: { server in
            let frame = try TestClient(port: server.port, path: "/").receive()
            #expect(frame == .init(opcode: sending.opcode, payload: sending.payload))
        }
    }

    @Test(
        "A handler sees the kind and the bytes of what it receives",
        arguments: [
            (TestClient.Opcode.text, WsMessageKind.text), (.binary, .binary), (.ping, .ping), (.pong, .pong),
        ])
    func receive(opcode: TestClient.Opcode, kind: WsMessageKind) throws {
        let received = Recorder<(kind: WsMessageKind, text: String, count: Int)>()
        try withServer {
            $0.ws("/") { _, event, message in
                if event == .message { received.record((message.kind, message.text, message.count)) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send(opcode, Array("Hello".utf8))
            let message = try received.values(count: 1)[0]
            #expect(message == (kind, "Hello", 5))
            if opcode == .ping {
                #expect(try client.receive() == .init(opcode: .pong, payload: Array("Hello".utf8)))
            }
        }
    }

    @Test("The message of any other event is empty")
    func noMessage() throws {
        let counts = Recorder<Int>()
        try withServer {
            $0.ws("/") { _, _, message in counts.record(message.count) }
        } body: { server in
            try TestClient(port: server.port, path: "/").sendClose(code: 1000)
            #expect(try counts.values(count: 2) == [0, 0])
        }
    }

    @Test("A route may have a limit of its own")
    func routeLimit() throws {
        try withServer {
            $0.ws("/four", options: JazzyRouteOptions(maxMessageSize: 4)) { ws, event, message in
                if event == .message { ws.send(message.text) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/four")
            try client.send("four")
            #expect(try client.receiveText() == "four")
            try client.send("fives")
            #expect(try client.receiveClose() == 1009)
        }
    }
}

import JazzySwift
import Testing

@Suite("Compression on the wire", .ownThreads)
struct CompressionTests {
    struct Negotiation: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let deflate: JazzyDeflate
        var offer: String? = "permessage-deflate; client_max_window_bits"
        let answer: String?
    }

    static let negotiations = [
        Negotiation(testDescription: "off", deflate: .off, answer: nil),
        Negotiation(
            testDescription: "shared", deflate: .shared,
            answer: "permessage-deflate; server_no_context_takeover; client_no_context_takeover"),
        Negotiation(testDescription: "shared, to a client without", deflate: .shared, offer: nil, answer: nil),
        Negotiation(testDescription: "dedicated", deflate: .dedicated, answer: "permessage-deflate"),
        Negotiation(
            testDescription: "dedicated, with a small window", deflate: .dedicated(windowBits: 12, memoryLevel: 5),
            answer: "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"),
        Negotiation(
            testDescription: "dedicated, to a client that wants no context takeover", deflate: .dedicated,
            offer: "permessage-deflate; server_no_context_takeover",
            answer: "permessage-deflate; server_no_context_takeover"),
    ]

    @Test("The handshake answers what the route offers", arguments: negotiations)
    func negotiate(_ negotiation: Negotiation) throws {
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(deflate: negotiation.deflate)) { _, _, _ in }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/", extensions: negotiation.offer)
            #expect(client.extensions == negotiation.answer)
        }
    }

    @Test(
        "Messages are read and sent compressed, each for itself or with what came before",
        arguments: [JazzyDeflate.shared, .dedicated, .shared(level: 9), .dedicated(windowBits: 9, memoryLevel: 1)])
    func echo(deflate: JazzyDeflate) throws {
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(deflate: deflate)) { ws, event, message in
                if event == .message { ws.send(String(repeating: message.text, count: 20)) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/", extensions: "permessage-deflate")
            let hello: [UInt8] = [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]  // RFC 7692 §7.2.3.1
            let inflater = TestInflater()
            for _ in 1...3 {
                try client.send(.text, hello, isCompressed: true)
                #expect(try inflater.message(client.receive()) == String(repeating: "Hello", count: 20))
            }
        }
    }

    @Test(
        "Only a dedicated compressor makes a message smaller that came before",
        arguments: [(JazzyDeflate.shared, false), (.dedicated, true)])
    func contextTakeover(deflate: JazzyDeflate, takesOver: Bool) throws {
        let text = "The quick brown fox jumps over the lazy dog, and then sits down for a cup of tea with it."
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(deflate: deflate)) { ws, event, _ in
                guard event == .open else { return }
                ws.send(text)
                ws.send(text)
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/", extensions: "permessage-deflate")
            let (first, second) = (try client.receive(), try client.receive())
            #expect((second.payload.count < first.payload.count / 2) == takesOver)
            let inflater = TestInflater()
            #expect(try inflater.message(first) == text)
            #expect(try inflater.message(second) == text)
        }
    }

    struct Sending: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// Sends a payload of so many bytes, which would become smaller.
        let send: @Sendable (JazzyWebSocket, Int, JazzyCompression) throws -> Void
    }

    static let sendings = [
        Sending(testDescription: "a string") { $0.send(String(repeating: "a", count: $1), compression: $2) },
        Sending(testDescription: "an array") { $0.send([UInt8](repeating: 0, count: $1), compression: $2) },
        Sending(testDescription: "bytes that are not stored anywhere") {
            $0.send((1...$1).lazy.map { _ in UInt8(0) }, compression: $2)
        },
        Sending(testDescription: "a raw span") {
            let bytes = [UInt8](repeating: 0, count: $1)
            $0.send(bytes.span.bytes, compression: $2)
        },
        Sending(testDescription: "JSON") {
            try $0.send(json: String(repeating: "a", count: $1 - 2), compression: $2)
        },
    ]

    @Test("What is sent is compressed from the minimum size on, always or never", arguments: sendings)
    func choice(_ sending: Sending) throws {
        let table: [(size: Int, compression: JazzyCompression, isCompressed: Bool)] = [
            (63, .automatic, false), (64, .automatic, true),
            (63, .always, true), (64, .always, true),
            (63, .never, false), (64, .never, false), (5_000, .never, false),
        ]
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(deflate: .dedicated)) { ws, event, _ in
                guard event == .open else { return }
                for row in table { try sending.send(ws, row.size, row.compression) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/", extensions: "permessage-deflate")
            let inflater = TestInflater()
            for row in table {
                let frame = try client.receive()
                #expect(frame.isCompressed == row.isCompressed, "\(row)")
                let count = frame.isCompressed ? try inflater.message(frame).utf8.count : frame.payload.count
                #expect(count == row.size, "\(row)")
            }
        }
    }

    @Test("The choice counts from another thread, too")
    func choiceFromAnotherThread() throws {
        let opened = Recorder<JazzyWebSocket>()
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(deflate: .shared)) { ws, event, _ in
                if event == .open { opened.record(ws) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/", extensions: "permessage-deflate")
            let ws = try opened.values(count: 1)[0]
            for (compression, isCompressed) in [(JazzyCompression.always, true), (.never, false), (.automatic, true)] {
                #expect(ws.send(String(repeating: "a", count: 100), compression: compression) == .queued)
                #expect(try client.receive().isCompressed == isCompressed, "\(compression)")
            }
        }
    }

    @Test("A route may have a minimum size of its own")
    func minimumMessageSize() throws {
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(deflate: .shared(minimumMessageSize: 16))) { ws, event, _ in
                guard event == .open else { return }
                for count in [15, 16] { ws.send(String(repeating: "a", count: count)) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/", extensions: "permessage-deflate")
            #expect(try client.receive().isCompressed == false)
            #expect(try client.receive().isCompressed == true)
        }
    }

    @Test("Nothing is compressed where it was not agreed on, where it would grow, or in a ping")
    func notCompressed() throws {
        let text = String(repeating: "a", count: 100)
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(deflate: .shared)) { ws, event, _ in
                guard event == .open else { return }
                ws.send(text, compression: .always)
                ws.send("abc", compression: .always)
                ws.send(text.utf8, kind: .ping, compression: .always)
            }
        } body: { server in
            let without = try TestClient(port: server.port, path: "/")
            #expect(try without.receive() == .init(opcode: .text, payload: Array(text.utf8)))

            let with = try TestClient(port: server.port, path: "/", extensions: "permessage-deflate")
            #expect(try with.receive().isCompressed)
            #expect(try with.receive() == .init(opcode: .text, payload: Array("abc".utf8)))
            #expect(try with.receive() == .init(opcode: .ping, payload: Array(text.utf8)))
        }
    }
}

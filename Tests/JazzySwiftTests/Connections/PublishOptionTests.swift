import JazzySwift
import Testing

@Suite("Options of publishing", .ownThreads)
struct PublishOptionTests {
    struct Publishing: CustomTestStringConvertible, Sendable {
        let testDescription: String
        var opcode = TestClient.Opcode.text
        /// Publishes a payload of so many bytes, which would become smaller.
        let byConnection: @Sendable (JazzyWebSocket, Int, Bool, JazzyCompression) throws -> JazzySendStatus
        let byServer: @Sendable (JazzyServer, Int, JazzyCompression) throws -> JazzySendStatus
        let byHandle: @Sendable (JazzyServerHandle, Int, JazzyCompression) throws -> JazzySendStatus
    }

    private static func text(_ count: Int) -> String { String(repeating: "a", count: count) }
    private static func bytes(_ count: Int) -> [UInt8] { [UInt8](repeating: 0, count: count) }

    static let publishings = [
        Publishing(testDescription: "a string") {
            $0.publish("room", text($1), includingSelf: $2, compression: $3)
        } byServer: {
            $0.publish("room", text($1), compression: $2)
        } byHandle: {
            $0.publish("room", text($1), compression: $2)
        },
        Publishing(testDescription: "an array", opcode: .binary) {
            $0.publish("room", bytes($1), includingSelf: $2, compression: $3)
        } byServer: {
            $0.publish("room", bytes($1), compression: $2)
        } byHandle: {
            $0.publish("room", bytes($1), compression: $2)
        },
        Publishing(testDescription: "bytes that are not stored anywhere", opcode: .text) {
            $0.publish("room", (1...$1).lazy.map { _ in 0x41 }, kind: .text, includingSelf: $2, compression: $3)
        } byServer: {
            $0.publish("room", (1...$1).lazy.map { _ in 0x41 }, kind: .text, compression: $2)
        } byHandle: {
            $0.publish("room", (1...$1).lazy.map { _ in 0x41 }, kind: .text, compression: $2)
        },
        Publishing(testDescription: "a raw span", opcode: .binary) {
            let bytes = bytes($1)
            return $0.publish("room", bytes.span.bytes, includingSelf: $2, compression: $3)
        } byServer: {
            let bytes = bytes($1)
            return $0.publish("room", bytes.span.bytes, compression: $2)
        } byHandle: {
            let bytes = bytes($1)
            return $0.publish("room", bytes.span.bytes, compression: $2)
        },
        Publishing(testDescription: "JSON") {
            try $0.publish("room", json: text($1 - 2), includingSelf: $2, compression: $3)
        } byServer: {
            try $0.publish("room", json: text($1 - 2), compression: $2)
        } byHandle: {
            try $0.publish("room", json: text($1 - 2), compression: $2)
        },
    ]

    static let compressions: [(size: Int, compression: JazzyCompression, isCompressed: Bool)] = [
        (63, .automatic, false), (64, .automatic, true),
        (63, .always, true), (64, .always, true),
        (63, .never, false), (5_000, .never, false),
    ]

    @Test(
        "A message is compressed from the minimum size on, always or never; itself included or not",
        arguments: publishings)
    func shapes(publishing: Publishing) throws {
        let opened = Recorder<JazzyWebSocket>()
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(deflate: .shared)) { ws, event, _ in
                guard event == .open else { return }
                ws.subscribe("room")
                opened.record(ws)
            }
        } body: { server in
            let clients = try (1...2).map { number in
                let client = try TestClient(port: server.port, path: "/", extensions: "permessage-deflate")
                _ = try opened.values(count: number)
                return client
            }
            let ws = opened.values[0]
            func expect(
                _ row: (size: Int, compression: JazzyCompression, isCompressed: Bool), _ receivers: [TestClient]
            )
                throws
            {
                for client in receivers {
                    let frame = try client.receive()
                    #expect(frame.opcode == publishing.opcode)
                    #expect(frame.isCompressed == row.isCompressed, "\(row)")
                    #expect(frame.isCompressed ? frame.payload.count < row.size : frame.payload.count == row.size)
                }
            }
            for row in Self.compressions {
                #expect(try publishing.byConnection(ws, row.size, true, row.compression) == .sent)
                try expect(row, clients)
                #expect(try publishing.byConnection(ws, row.size, false, row.compression) == .sent)
                try expect(row, [clients[1]])
                #expect(try publishing.byServer(server, row.size, row.compression) == .sent)
                try expect(row, clients)
                #expect(try publishing.byHandle(ws.server, row.size, row.compression) == .sent)
                try expect(row, clients)
            }
        }
    }

    @Test("A connection with a state publishes to itself, too, and what it publishes keeps its order")
    func statefulSender() throws {
        try withServer {
            $0.ws("/", state: { 0 }) { ws, event, message in
                if event == .open { ws.subscribe("room") }
                guard event == .message else { return }
                for _ in 1...10 {
                    ws.state += 1
                    ws.publish("room", "\(ws.state)", includingSelf: true, compression: .always)
                    ws.publish("room", "not to itself")
                    ws.publish("room", "not to itself", compression: .never)
                    ws.send("\(-ws.state)")
                }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send("go")
            let texts = try (1...20).map { _ in try client.receiveText() }
            #expect(texts == (1...10).flatMap { ["\($0)", "\(-$0)"] })
        }
    }
}

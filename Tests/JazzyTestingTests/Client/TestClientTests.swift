import JazzySwift
import JazzyTesting
import Testing

@Suite("A client on a socket")
struct TestClientTests {
    static func withServer<Result>(
        options: JazzyRouteOptions = JazzyRouteOptions(), _ body: (JazzyServer) async throws -> Result
    ) async throws -> Result {
        let server = JazzyServer()
        server.ws("/echo", options: options) { ws, event, message in
            guard event == .message, message.kind == .text || message.kind == .binary else { return }
            if message.text == "close" { ws.close(code: 4_000, reason: "as you wish") }
            if message.text == "ping" { ws.ping([9]) }
            ws.send(message.bytes, kind: message.kind)
        }
        server.ws("/private", upgrade: { _ in .reject(403, headers: ["X-Why": "private"], body: .text("no")) }) {
            _, _, _ in
        }
        server.ws(
            "/silent",
            upgrade: { _ in
                try await Task.sleep(for: .seconds(60)); return .accept()
            }
        ) { _, _, _ in }
        try server.start(host: "127.0.0.1", port: 0)
        do {
            let result = try await body(server)
            await server.stopAndWait(grace: .zero)
            return result
        } catch {
            await server.stopAndWait(grace: .zero)
            throw error
        }
    }

    @Test("Messages go both ways, and both sides close")
    func messages() async throws {
        try await Self.withServer { server in
            let client = try await JazzyTestClient(server, "/echo")
            #expect(client.response.status == 101)
            #expect(client.response.header("Upgrade") == "websocket")
            try await client.send("hello")
            #expect(try await client.message() == "hello")
            try await client.send([1, 2, 3])
            #expect(try await client.message() == WsOwnedMessage([1, 2, 3]))
            #expect(try await client.close(code: 1_000) == JazzyTestClose(code: 1_000))
            let error = await #expect(throws: JazzyTestError.self) { try await client.message() }
            #expect(error?.code == .ended)
        }
    }

    @Test("Every frame can be seen, as it travels")
    func frames() async throws {
        try await Self.withServer { server in
            let client = try await JazzyTestClient(server, "/echo", answersControlFrames: false)
            try await client.send(JazzyTestFrame(.text, "two ".utf8, isFinal: false))
            try await client.ping([5])
            try await client.send(JazzyTestFrame(.continuation, "parts".utf8, mask: [1, 2, 3, 4]))
            #expect(try await client.frame() == JazzyTestFrame(.pong, [5]))
            #expect(try await client.frame() == JazzyTestFrame("two parts"))
            try await client.send("close")
            let close = try await client.frame()
            #expect(close == .close(code: 4_000, reason: "as you wish"))
            #expect(close.close == JazzyTestClose(code: 4_000, reason: "as you wish"))
            #expect(close.isFinal && !close.rsv1 && !close.rsv2 && !close.rsv3 && close.mask == nil)
            try await client.send(.close(code: 4_000))
            try await client.awaitEnd()
        }
    }

    @Test("Pings are answered")
    func answers() async throws {
        try await Self.withServer { server in
            let client = try await JazzyTestClient(server, "/echo")
            try await client.send("ping")
            #expect(try await client.frame() == JazzyTestFrame(.ping, [9]))
            #expect(try await client.message() == "ping")
            try await client.close()
            #expect(server.statistics.messagesReceived.pong == 1)
        }
    }

    static let violations: [(bytes: [UInt8], code: UInt16)] = [
        (JazzyTestFrame("not masked").bytes, 1_002),
        (JazzyTestFrame(.init(rawValue: 3), mask: [0, 0, 0, 0]).bytes, 1_002),
        (JazzyTestFrame(.binary, rsv2: true, mask: [0, 0, 0, 0]).bytes, 1_002),
        (JazzyTestFrame(.text, [0xFF], mask: [1, 2, 3, 4]).bytes, 1_007),
    ]

    @Test("Input that breaks a rule gets the close code of the rule", arguments: Self.violations)
    func malformed(bytes: [UInt8], code: UInt16) async throws {
        try await Self.withServer { server in
            let client = try await JazzyTestClient(server, "/echo")
            try await client.send(raw: bytes)
            #expect(try await client.awaitClose().code == code)
            try await client.awaitEnd()
        }
    }

    @Test("A refusal is an error with the response, or just a response")
    func refusals() async throws {
        try await Self.withServer { server in
            let error = await #expect(throws: JazzyTestError.self) { try await JazzyTestClient(server, "/private") }
            #expect(error?.code == .refused)
            #expect(error?.response?.status == 403)
            #expect(error?.response?.header("x-why") == "private")
            #expect(error?.response?.text == "no")
            #expect(try await JazzyTestClient.response(of: server, "/private").status == 403)
            #expect(try await JazzyTestClient.response(of: server, "/nowhere").status == 404)
            #expect(try await JazzyTestClient.response(of: server, "/echo").isAccepted)
            let version = try await JazzyTestClient.response(
                of: server, "/echo", headers: ["Sec-WebSocket-Version": "12"])
            #expect(version.status == 426)
        }
    }

    /// A client that waits for a second at most, also for its handshake: again, if a busy machine takes longer.
    private static func impatient(_ server: JazzyServer, _ path: String) async throws -> JazzyTestClient {
        while true {
            do {
                return try await JazzyTestClient(server, path, timeLimit: .seconds(1))
            } catch let error as JazzyTestError where error.code == .timeout {}
        }
    }

    @Test("What does not come in time is an error that says what is missing")
    func timeLimits() async throws {
        let short = Duration.milliseconds(50)
        try await Self.withServer { server in
            let client = try await JazzyTestClient(server, "/echo")
            try await client.send("hello")
            _ = try await client.message()
            let quiet = try await Self.impatient(server, "/echo")
            var error = await #expect(throws: JazzyTestError.self) { try await quiet.message() }
            #expect(error?.code == .timeout && error?.message.contains("no further message") == true)
            error = await #expect(throws: JazzyTestError.self) { try await quiet.awaitEnd() }
            #expect(error?.code == .timeout)
            repeat {
                error = await #expect(throws: JazzyTestError.self) {
                    try await JazzyTestClient(server, "/silent", timeLimit: short)
                }
                // A busy machine may take longer even for sending the request, which says something else.
            } while error?.message.contains("does not read") == true
            #expect(error?.code == .timeout && error?.message.contains("does not answer") == true)
        }
    }

    @Test("A server that does not read makes sending wait, and not longer than is said")
    func unread() async throws {
        let server = JazzyServer()
        server.ws("/") { ws, event, _ in if event == .open { ws.pauseReading() } }
        try server.start(host: "127.0.0.1", port: 0)
        let client = try await Self.impatient(server, "/")
        let much = [UInt8](repeating: 0, count: 16 << 20)
        let error = await #expect(throws: JazzyTestError.self) { try await client.send(raw: much) }
        #expect(error?.code == .timeout && error?.message.contains("does not read") == true)
        client.disconnect()
        try await client.awaitEnd()
        await server.stopAndWait(grace: .zero)
    }

    @Test("A client that goes while much waits to be sent leaves nothing behind that hides the events of the next")
    func goingUnsent() async throws {
        /// Enqueues the bytes, and does not wait until they are sent.
        func enqueue(_ bytes: [UInt8], _ client: JazzyTestClient) async {
            _ = await Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await client.send(raw: bytes)
            }.result
        }
        let server = JazzyServer()
        server.ws("/deaf") { ws, event, _ in if event == .open { ws.pauseReading() } }
        server.ws("/echo") { ws, event, message in if event == .message { ws.send(message.text) } }
        try server.start(host: "127.0.0.1", port: 0)
        for _ in 1...20 {
            let client = try await JazzyTestClient(server, "/deaf")
            await enqueue([UInt8](repeating: 0, count: 16 << 20), client)
            client.disconnect()
            for _ in 1...20 { await enqueue([0], client) }
            let next = try await JazzyTestClient(server, "/echo")
            try await next.send("hello")
            #expect(try await next.message() == "hello")
            try await client.awaitEnd()
        }
        await server.stopAndWait(grace: .zero)
    }

    @Test("Much is sent and received by many at once, and no thread of tasks is blocked")
    func many() async throws {
        try await Self.withServer { server in
            let clients = try await withThrowingTaskGroup(of: JazzyTestClient.self) { group in
                for _ in 1...20 { group.addTask { try await JazzyTestClient(server, "/echo") } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try await withThrowingTaskGroup { group in
                for client in clients {
                    group.addTask {
                        for size in [0, 125, 126, 65_535, 65_536, 200_000] {
                            let message = [UInt8](repeating: 0x5A, count: size)
                            try await client.send(message)
                            #expect(try await client.message() == WsOwnedMessage(message))
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test(
        "A client that goes, is released or resets ends its connection", arguments: ["disconnect", "reset", "release"])
    func going(how: String) async throws {
        let (closes, continuation) = AsyncStream.makeStream(of: WsClose.self)
        let server = JazzyServer()
        server.ws("/") { _, event, _ in if case .close(let close) = event { continuation.yield(close) } }
        try server.start(host: "127.0.0.1", port: 0)
        var client: JazzyTestClient? = try await JazzyTestClient(server)
        switch how {
        case "disconnect": client?.disconnect()
        case "reset": client?.reset()
        default: client = nil
        }
        let close = await closes.first { _ in true }
        #expect(close?.code == 1_006)
        #expect(close?.cause == (how == "reset" ? .failure : .peer))
        await server.stopAndWait(grace: .zero)
    }

    @Test("What the server compresses is decompressed, and its frames can be seen compressed")
    func compression() async throws {
        let text = String(repeating: "the same and the same, ", count: 100)
        let options = JazzyRouteOptions(deflate: .dedicated(minimumMessageSize: 0))
        try await Self.withServer(options: options) { server in
            let client = try await JazzyTestClient(
                server, "/echo", headers: ["Sec-WebSocket-Extensions": "permessage-deflate"])
            for _ in 1...3 {
                try await client.send(text)
                #expect(try await client.message() == WsOwnedMessage(text))
            }
            try await client.send(text)
            let frame = try await client.frame()
            #expect(frame.rsv1 && frame.payload.count < 100)
        }
    }
}

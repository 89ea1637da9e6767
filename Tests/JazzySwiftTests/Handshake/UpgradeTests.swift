import JazzyPlatform
import JazzySwift
import Testing

/// Ways for a hook to give its answer.
struct HookPace: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let wait: @Sendable () async throws -> Void

    static let all = [
        HookPace(testDescription: "at once") {},
        HookPace(testDescription: "after others have run") { await Task.yield() },
        HookPace(testDescription: "later") { try await Task.sleep(for: .milliseconds(20)) },
        HookPace(testDescription: "from a task of its own") { await Task.detached { await Task.yield() }.value },
    ]
}

@Suite("Upgrade hooks", .ownThreads)
struct UpgradeTests {
    struct Mishap: Error {}

    /// Options with a log that is kept.
    static func options(_ log: Recorder<String>) -> JazzyOptions {
        var options = JazzyOptions()
        options.log = { level, line in if level != .info { log.record("\(level): \(line)") } }
        return options
    }

    @Test(
        "A client is let in, or sent away",
        arguments: HookPace.all, [JazzyExecution.loop, .workers])
    func decide(pace: HookPace, execution: JazzyExecution) throws {
        try withServer {
            let upgrade: JazzyUpgradeHook = { request in
                try await pace.wait()
                guard request.cookie("session") == "secret" else {
                    return .reject(401, headers: ["WWW-Authenticate": "Cookie"], body: .text("Who are you?"))
                }
                return .accept(headers: ["Set-Cookie": "a=1", "Set-Cookie": "b=2"])
            }
            $0.ws("/", options: JazzyRouteOptions(execution: execution), upgrade: upgrade) { ws, event, _ in
                if event == .open { ws.send("welcome") }
            }
        } body: { server in
            let cookie: JazzyHeaders = ["Cookie": "session=secret"]
            let client = try TestClient(try TestHandshake(port: server.port, path: "/", headers: cookie))
            #expect(client.head.contains("\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"))
            #expect(try client.receiveText() == "welcome")
            let stranger = try TestHandshake(port: server.port, path: "/")
            let (status, head, body) = try stranger.receiveRefusal()
            #expect(status == 401)
            #expect(headerValue("www-authenticate", of: head) == "Cookie")
            #expect(headerValue("content-type", of: head) == "text/plain; charset=utf-8")
            #expect(body == "Who are you?")
            #expect(stranger.socket.awaitEnd())
            #expect(server.statistics.refused(for: .rejected) == 1)
        }
    }

    @Test("A rejection without a body says in a short text what its status means")
    func shortText() throws {
        try withServer {
            $0.ws("/", upgrade: { _ in .reject(404) }) { _, _, _ in }
        } body: { server in
            let (status, head, body) = try TestHandshake(port: server.port, path: "/").receiveRefusal()
            #expect(status == 404)
            #expect(headerValue("content-type", of: head)?.hasPrefix("text/plain") == true)
            #expect(!body.isEmpty)
        }
    }

    @Test("A hook that awaits nothing runs on the loop's thread, and is asked before the open event")
    func thread() throws {
        let journal = Recorder<(String, UInt)>()
        var options = JazzyOptions()
        options.threads = 1
        @Sendable func lookUp() async -> Bool { true }
        try withServer(options: options) {
            let upgrade: JazzyUpgradeHook = { _ in
                let isKnown = await lookUp()
                journal.record(("hook", UInt(pthread_self())))
                return isKnown ? .accept() : .reject(401)
            }
            $0.ws("/", upgrade: upgrade) { _, event, _ in
                if event == .open { journal.record(("open", UInt(pthread_self()))) }
            }
        } body: { server in
            _ = try TestClient(port: server.port, path: "/")
            let entries = try journal.values(count: 2)
            #expect(entries.map(\.0) == ["hook", "open"])
            #expect(entries[0].1 == entries[1].1)
        }
    }

    @Test("If a hook throws, that is logged and the client is answered with 500", arguments: HookPace.all)
    func hookThrows(pace: HookPace) throws {
        let log = Recorder<String>()
        try withServer(options: Self.options(log)) {
            let upgrade: JazzyUpgradeHook = { _ in
                try await pace.wait()
                throw Mishap()
            }
            $0.ws("/room/:id", upgrade: upgrade) { _, _, _ in }
        } body: { server in
            let handshake = try TestHandshake(port: server.port, path: "/room/1")
            #expect(try handshake.receiveStatus() == 500)
            let address = handshake.socket.localAddress
            #expect(log.values == ["error: \(address): the upgrade hook of /room/:id threw Mishap"])
        }
    }

    static let invalidAnswers: [JazzyUpgrade] = [
        .accept(headers: ["X-One": "two\r\nX-Three: four"]), .accept(headers: ["X One": "1"]),
        .accept(headers: ["X-One": "a\0b"]), .accept(headers: ["Connection": "close"]),
        .accept(headers: ["Sec-WebSocket-Protocol": "chat"]), .accept(subprotocol: "a\0b"), .reject(200), .reject(600),
        .reject(.max), .reject(-1), .reject(401, headers: ["Content-Length": "7"]),
        .reject(401, body: .bytes([], contentType: "text/plain\r\nX: y")),
        .reject(401, body: .bytes([], contentType: "text/plain\0")),
    ]

    @Test("An answer that may not be sent is logged, and the client is answered with 500", arguments: invalidAnswers)
    func invalid(answer: JazzyUpgrade) throws {
        let log = Recorder<String>()
        try withServer(options: Self.options(log)) {
            $0.ws("/room/:id", upgrade: { _ in answer }) { _, _, _ in }
        } body: { server in
            let handshake = try TestHandshake(port: server.port, path: "/room/1")
            #expect(try handshake.receiveStatus() == 500)
            let mistake = "the upgrade hook of /room/:id gave an answer that may not be sent: \(answer)"
            let line = "\(handshake.socket.localAddress): \(mistake)"
            #expect(log.values == ["error: " + line.replacing(#"\"#, with: #"\\"#)])
        }
    }

    @Test("A description of an answer has no values that had better not be logged")
    func description() {
        let accepted = JazzyUpgrade.accept(subprotocol: "v1", headers: ["Set-Cookie": "secret"], state: "secret")
        #expect("\(accepted)" == #".accept(subprotocol: "v1", headers: ["Set-Cookie"])"#)
        let rejected = JazzyUpgrade.reject(302, headers: ["Location": "/secret"], body: .text("secret"))
        #expect("\(rejected)" == #".reject(302, headers: ["Location"])"#)
    }

    @Test("A client that waits for too long is answered with 503, and what comes later does nothing")
    func tooLate() throws {
        let (gate, answered) = (Gate(), Recorder<Bool>())
        try withServer {
            let options = JazzyRouteOptions(upgradeTimeout: .milliseconds(100))
            let upgrade: JazzyUpgradeHook = { _ in
                await gate.pass()
                defer { answered.record(true) }
                return .accept()
            }
            $0.ws("/", options: options, upgrade: upgrade) { _, _, _ in Issue.record("nobody was let in") }
        } body: { server in
            #expect(try TestHandshake(port: server.port, path: "/").receiveStatus() == 503)
            gate.open()
            _ = try answered.values(count: 1)
            #expect(server.statistics.refused(for: .upgradeTimeout) == 1)
        }
    }

    @Test("A hook may answer when its server is gone")
    func serverGone() throws {
        let (gate, asked, released) = (Gate(), Recorder<Bool>(), Recorder<Bool>())
        var server: JazzyServer? = JazzyServer()
        let upgrade: JazzyUpgradeHook = { _ in
            asked.record(true)
            await gate.pass()
            return .accept(state: Tracked { released.record(true) })
        }
        server?.ws("/", upgrade: upgrade) { _, _, _ in Issue.record("nobody was let in") }
        try server?.start(host: "127.0.0.1")
        let handshake = try TestHandshake(port: try #require(server?.port), path: "/")
        // Handshakes are counted when they begin, before the hook is asked.
        _ = try asked.values(count: 1)
        server = nil
        #expect(handshake.socket.awaitEnd())
        gate.open()
        #expect(try released.values(count: 1) == [true])
    }
}

import JazzySwift
import Testing

@Suite("The request that a connection began with", .ownThreads)
struct FirstRequestTests {
    static let executions = [JazzyExecution.loop, .workers]

    /// How clients are let in: without a hook, or with one that takes its time.
    static let hooks: [HookPace?] = [nil] + HookPace.all

    private static let headers: JazzyHeaders = ["X-One": "1", "Cookie": "name=Ada; z=1"]

    private static func connect(_ server: JazzyServer, to path: String) throws -> TestClient {
        try TestClient(try TestHandshake(port: server.port, path: path, headers: headers))
    }

    private static func hook(_ pace: HookPace?) -> JazzyUpgradeHook? {
        guard let pace else { return nil }
        return { _ in
            try await pace.wait()
            return .accept()
        }
    }

    private static func expectRequest(_ request: JazzyRequest?, of client: TestClient) {
        #expect(request?.path == "/room/J%C3%BCrgen")
        #expect(request?.query == "a=1&b=x+y")
        #expect(request?.queryValue("b") == "x y")
        #expect(request?.parameters == ["id": "Jürgen"])
        #expect(request?.header("x-one") == "1")
        #expect(request?.cookie("name") == "Ada")
        #expect(request?.remoteAddress == client.localAddress)
    }

    private static let path = "/room/J%C3%BCrgen?a=1&b=x+y"

    @Test("The open event has it, and later events have not", arguments: hooks, executions)
    func openEvent(pace: HookPace?, execution: JazzyExecution) throws {
        let seen = Recorder<(JazzyRequest?, [String: String])>()
        try withServer {
            let options = JazzyRouteOptions(execution: execution)
            $0.ws("/room/:id", options: options, upgrade: Self.hook(pace)) { ws, _, _ in
                seen.record((ws.request, ws.parameters))
            }
        } body: { server in
            let client = try Self.connect(server, to: Self.path)
            try client.send("a message")
            try client.sendClose(code: 1000)
            let requests = try seen.values(count: 3)
            Self.expectRequest(requests[0].0, of: client)
            #expect(requests.map(\.1) == [["id": "Jürgen"], [:], [:]])
            #expect(requests[1...].allSatisfy { $0.0 == nil })
        }
    }

    @Test("A connection with a state has it, too, and other connections and threads have not")
    func whose() throws {
        let (earlier, seen) = (Recorder<JazzyWebSocket>(), Recorder<[String: String]>())
        try withServer {
            $0.ws("/room/:id", state: { 0 }) { ws, event, _ in
                guard event == .open else { return }
                let handle = ws.webSocket
                let other = earlier.values.first
                earlier.record(handle)
                seen.record(ws.parameters)
                if let other { seen.record(other.parameters) } else { Task { seen.record(handle.parameters) } }
            }
        } body: { server in
            let one = try Self.connect(server, to: "/room/1")
            _ = try seen.values(count: 2)
            let two = try Self.connect(server, to: "/room/2")
            #expect(try seen.values(count: 4) == [["id": "1"], [:], ["id": "2"], [:]])
            withExtendedLifetime((one, two)) {}
        }
    }

    @Test("A state is made from it", arguments: hooks, executions)
    func state(pace: HookPace?, execution: JazzyExecution) throws {
        try withServer {
            let options = JazzyRouteOptions(execution: execution)
            $0.ws(
                "/room/:id", options: options, upgrade: Self.hook(pace),
                state: { request in [request.parameters["id"] ?? "none", request.cookie("name") ?? "nobody"] }
            ) { ws, event, message in
                if event == .message { ws.state.append(message.text) }
                if event == .message { ws.send(ws.state.joined(separator: " ")) }
            }
        } body: { server in
            let client = try Self.connect(server, to: Self.path)
            try client.send("said")
            #expect(try client.receiveText() == "Jürgen Ada said")
        }
    }

    @Test("A state of the upgrade hook takes the place of one that is made from it")
    func stateOfHook() throws {
        try withServer {
            let upgrade: JazzyUpgradeHook = { .accept(state: $0.queryValue("name")) }
            $0.ws("/", upgrade: upgrade, state: { request in request.path }) { ws, event, _ in
                if event == .open { ws.send(ws.state) }
            }
        } body: { server in
            let texts = try ["/?name=Ada", "/"].map { try TestClient(port: server.port, path: $0).receiveText() }
            #expect(texts == ["Ada", "/"])
        }
    }

    @Test("A handler that is a task has it to the end, in its child tasks, too", arguments: hooks, executions)
    func task(pace: HookPace?, execution: JazzyExecution) throws {
        let seen = Recorder<JazzyRequest?>()
        try withServer {
            let options = JazzyRouteOptions(execution: execution)
            $0.ws("/room/:id", options: options, upgrade: Self.hook(pace)) { ws, messages in
                seen.record(ws.request)
                for try await message in messages {
                    async let child = ws.parameters["id"]
                    let inherited = await Task { ws.parameters["id"] }.value
                    let detached = await Task.detached { ws.parameters["id"] }.value
                    ws.send("\(message.text) \(await child ?? "") \(inherited ?? "") \(detached ?? "none")")
                }
                seen.record(ws.request)
            }
        } body: { server in
            let client = try Self.connect(server, to: Self.path)
            for text in ["one", "two"] {
                try client.send(text)
                #expect(try client.receiveText() == "\(text) Jürgen Jürgen none")
            }
            try client.sendClose(code: 1000)
            for request in try seen.values(count: 2) { Self.expectRequest(request, of: client) }
        }
    }

    @Test("In a task it is that of the task's own connection alone")
    func taskOfOther() throws {
        let (earlier, seen) = (Recorder<JazzyWebSocket>(), Recorder<[String: String]>())
        try withServer {
            $0.ws("/room/:id") { ws, messages in
                let other = earlier.values.first
                earlier.record(ws)
                seen.record(ws.parameters)
                if let other { seen.record(other.parameters) }
                for try await _ in messages {}
            }
        } body: { server in
            let one = try Self.connect(server, to: "/room/1")
            _ = try seen.values(count: 1)
            let two = try Self.connect(server, to: "/room/2")
            #expect(try seen.values(count: 3) == [["id": "1"], ["id": "2"], [:]])
            withExtendedLifetime((one, two)) {}
        }
    }
}

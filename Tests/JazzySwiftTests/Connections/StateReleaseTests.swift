import JazzySwift
import Testing

/// A way to give connections a state, and where their handler runs.
struct StateRoute: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// Adds a route `/` whose connections have what `makeState` returns, and whose handler does not do more than
    /// `handler`.
    let add:
        @Sendable (
            _ server: JazzyServer, _ makeState: @escaping @Sendable (JazzyWebSocket) -> Tracked,
            _ handler: @escaping JazzyHandler
        ) -> Void

    static let all = [JazzyExecution.loop, .workers].flatMap { execution in
        let options = JazzyRouteOptions(execution: execution)
        let place = execution == .loop ? "on the loop" : "on workers"
        return [
            StateRoute(testDescription: "set at open, \(place)") { server, makeState, handler in
                server.ws("/", options: options) { ws, event, message in
                    if event == .open { #expect(ws.setState(makeState(ws))) }
                    #expect(ws.withState(as: Tracked.self) { _ in true } == true)
                    try handler(ws, event, message)
                }
            },
            StateRoute(testDescription: "of the route, \(place)") { server, makeState, handler in
                server.ws("/", options: options, state: { Tracked?.none }) { ws, event, message in
                    if event == .open { ws.state = makeState(ws.webSocket) }
                    #expect(ws.state != nil)
                    try handler(ws.webSocket, event, message)
                }
            },
        ]
    }
}

@Suite("The end of a connection's state", .ownThreads)
struct StateReleaseTests {
    /// A way for a connection to end.
    struct Ending: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let end: @Sendable (TestClient, JazzyServer) throws -> Void

        static let all = [
            Ending(testDescription: "closed by the client") { client, _ in
                try client.sendClose(code: 1000)
                _ = try client.receive()
            },
            Ending(testDescription: "closed by its handler") { client, _ in
                try client.send("close")
                #expect(try client.receiveClose() == 1000)
            },
            Ending(testDescription: "its handler threw") { client, _ in
                try client.send("throw")
                #expect(try client.receiveClose() == 1011)
            },
            Ending(testDescription: "a rule was broken") { client, _ in
                try client.sendRaw([0x81, 0x01, 0x41])
                #expect(try client.receiveClose() == 1002)
                // The server waits for the client to end, so that no reset overtakes its close frame.
                client.reset()
            },
            Ending(testDescription: "reset") { client, _ in client.reset() },
            Ending(testDescription: "the server stopped") { client, server in
                server.stop()
                let code = try client.receiveClose()
                #expect(code == 1001)
            },
        ]
    }

    struct Mishap: Error {}

    @Test(
        "The state is released once, after the close event, however the connection ends",
        arguments: StateRoute.all, Ending.all)
    func release(route: StateRoute, ending: Ending) throws {
        let journal = Recorder<String>()
        var options = JazzyOptions()
        options.log = { _, _ in }
        try withServer(options: options) {
            route.add($0) { _ in
                journal.record("created")
                return Tracked { journal.record("released") }
            } _: { ws, event, message in
                if case .close = event { journal.record("close") }
                guard event == .message else { return }
                if message.text == "throw" { throw Mishap() }
                ws.close()
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try eventually("the connection is open") { journal.values == ["created"] }
            try ending.end(client, server)
            #expect(try journal.values(count: 3) == ["created", "close", "released"])
            server.stop()
            server.wait()
        }
        #expect(journal.values == ["created", "close", "released"])
    }

    @Test("When a server has stopped, the states of all its connections have been released", arguments: StateRoute.all)
    func stop(route: StateRoute) throws {
        let (created, released) = (Recorder<JazzyWebSocket>(), Recorder<JazzyWebSocket>())
        let server = JazzyServer()
        route.add(server) { ws in
            created.record(ws)
            return Tracked { released.record(ws) }
        } _: { _, _, _ in
        }
        try server.start(host: "127.0.0.1")
        let clients = try (1...20).map { _ in try TestClient(port: server.port, path: "/") }
        _ = try created.values(count: clients.count)
        #expect(released.values.isEmpty)
        server.stop()
        for client in clients { #expect(try client.receiveClose() == 1001) }
        server.wait()
        #expect(created.values.count == clients.count)
        #expect(released.values.count == clients.count)
        #expect(Set(released.values) == Set(created.values))
    }

    @Test("The end of a state may use its connection, which is given no other state", arguments: StateRoute.all)
    func useAtEnd(route: StateRoute) throws {
        let outcomes = Recorder<String>()
        try withServer {
            route.add($0) { ws in
                Tracked {
                    let hasState = ws.withState(as: Tracked.self) { _ in true } ?? false
                    let takesState = ws.setState(Tracked { outcomes.record("released again") })
                    outcomes.record("\(hasState) \(takesState) \(ws.send("too late"))")
                }
            } _: { _, _, _ in
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.sendClose(code: 1000)
            #expect(try outcomes.values(count: 2) == ["released again", "false false closed"])
        }
    }

    @Test("The end of a state may be the end of its server", arguments: StateRoute.all)
    func endOfServer(route: StateRoute) throws {
        let holder = Holder<JazzyServer>()
        let server = JazzyServer(options: .patient)
        route.add(server) { _ in
            Tracked { holder.value = nil }
        } _: { _, _, _ in
        }
        try server.start(host: "127.0.0.1")
        let port = server.port
        holder.value = consume server
        let client = try TestClient(port: port, path: "/")
        let another = try TestSocket(port: port)
        try client.sendClose(code: 1000)
        _ = try client.receive()
        #expect(another.awaitEnd())
        #expect(holder.value == nil)
    }
}

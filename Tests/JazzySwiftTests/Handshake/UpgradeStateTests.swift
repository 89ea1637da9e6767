import JazzySwift
import Testing

@Suite("The state that an upgrade hook gives", .ownThreads)
struct UpgradeStateTests {
    static let executions = [JazzyExecution.loop, .workers]

    @Test("It is there in the open event, by its type", arguments: HookPace.all, executions)
    func openEvent(pace: HookPace, execution: JazzyExecution) throws {
        try withServer {
            let upgrade: JazzyUpgradeHook = { request in
                try await pace.wait()
                return .accept(state: request.parameters["id"])
            }
            $0.ws("/room/:id", options: JazzyRouteOptions(execution: execution), upgrade: upgrade) { ws, event, _ in
                guard event == .open else { return }
                let isNumber = ws.withState(as: Int.self) { _ in true } ?? false
                ws.send("\(ws.withState(as: String.self) { $0 } ?? "none") \(isNumber)")
            }
        } body: { server in
            let text = try TestClient(port: server.port, path: "/room/J%C3%BCrgen").receiveText()
            #expect(text == "Jürgen false")
        }
    }

    @Test("On a route with a state it takes the place of what that makes", arguments: executions)
    func stateOfRoute(execution: JazzyExecution) throws {
        try withServer {
            let upgrade: JazzyUpgradeHook = { request in .accept(state: request.queryValue("name")) }
            let options = JazzyRouteOptions(execution: execution)
            $0.ws("/", options: options, upgrade: upgrade, state: { "nobody" }) { ws, event, _ in
                guard event == .open else { return }
                ws.state += "!"
                ws.send(ws.state)
            }
        } body: { server in
            let texts = try ["/?name=Ada", "/"].map { try TestClient(port: server.port, path: $0).receiveText() }
            #expect(texts == ["Ada!", "nobody!"])
        }
    }

    @Test("One of another type than the route's is logged, and the client is answered with 500")
    func otherType() throws {
        let (log, released) = (Recorder<String>(), Recorder<Bool>())
        try withServer(options: UpgradeTests.options(log)) {
            let upgrade: JazzyUpgradeHook = { _ in .accept(state: Tracked { released.record(true) }) }
            $0.ws("/", upgrade: upgrade, state: { 0 }) { _, _, _ in Issue.record("nobody was let in") }
        } body: { server in
            let handshake = try TestHandshake(port: server.port, path: "/")
            #expect(try handshake.receiveStatus() == 500)
            let mistake =
                "the upgrade hook of / gave a state that is not of the route's type: Tracked; a hook that returns a "
                + "JazzyAdmission gives one that the compiler has checked"
            #expect(log.values == ["error: \(handshake.socket.localAddress): \(mistake)"])
            #expect(try released.values(count: 1) == [true])
        }
    }

    /// The result for a client that a hook lets in.
    struct Fate: CustomTestStringConvertible, Sendable {
        let testDescription: String
        var upgradeTimeout = Duration.seconds(10)
        var answer: @Sendable (Tracked) -> JazzyUpgrade = { .accept(state: $0) }
        let meet: @Sendable (TestHandshake, Gate) throws -> Void

        static let all = [
            Fate(testDescription: "it closes") { handshake, gate in
                gate.open()
                let client = try TestClient(handshake)
                try client.sendClose(code: 1000)
                _ = try client.receive()
            },
            Fate(testDescription: "it is given another state") { handshake, gate in
                gate.open()
                let client = try TestClient(handshake)
                try client.send("replace")
                let text = try client.receiveText()
                #expect(text == "replaced")
            },
            Fate(testDescription: "it leaves before") { handshake, gate in
                handshake.socket.reset()
                gate.open()
            },
            Fate(testDescription: "it leaves at the same time") { handshake, gate in
                gate.open()
                handshake.socket.reset()
            },
            Fate(testDescription: "its time is over", upgradeTimeout: .milliseconds(200)) { handshake, gate in
                let status = try handshake.receiveStatus()
                #expect(status == 503)
                gate.open()
            },
            Fate(testDescription: "the answer may not be sent") {
                .accept(headers: ["X": "\n"], state: $0)
            } meet: { handshake, gate in
                gate.open()
                let status = try handshake.receiveStatus()
                #expect(status == 500)
            },
            Fate(testDescription: "the subprotocol is not offered") {
                .accept(subprotocol: "chat", state: $0)
            } meet: { handshake, gate in
                gate.open()
                let status = try handshake.receiveStatus()
                #expect(status == 500)
            },
        ]
    }

    @Test(
        "It is released once, whatever becomes of the client", arguments: Fate.all,
        [(JazzyExecution.loop, false), (.loop, true), (.workers, false), (.workers, true)])
    func release(fate: Fate, place: (execution: JazzyExecution, isStateful: Bool)) throws {
        let (gate, asked, released) = (Gate(), Recorder<Bool>(), Recorder<Bool>())
        let upgrade: JazzyUpgradeHook = { _ in
            let state = Tracked { released.record(true) }
            asked.record(true)
            await gate.pass()
            return fate.answer(state)
        }
        try withServer(options: UpgradeTests.options(Recorder())) {
            let options = JazzyRouteOptions(execution: place.execution, upgradeTimeout: fate.upgradeTimeout)
            if place.isStateful {
                $0.ws("/", options: options, upgrade: upgrade, state: { Tracked {} }) { ws, event, _ in
                    guard event == .message else { return }
                    ws.state = Tracked {}
                    ws.send("replaced")
                }
            } else {
                $0.ws("/", options: options, upgrade: upgrade) { ws, event, _ in
                    guard event == .message else { return }
                    ws.setState(7)
                    ws.send("replaced")
                }
            }
        } body: { server in
            let handshake = try TestHandshake(port: server.port, path: "/")
            _ = try asked.values(count: 1)
            try fate.meet(handshake, gate)
            #expect(try released.values(count: 1) == [true])
        }
        #expect(released.values == [true])
    }
}

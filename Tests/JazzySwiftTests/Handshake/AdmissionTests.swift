import JazzySwift
import Testing

@Suite("Upgrade hooks that give a state of the route's type", .ownThreads)
struct AdmissionTests {
    struct Mishap: Error {}
    struct Seat: Sendable { var room: String, name: String }

    /// No two threads may use it at a time.
    final class Notes {
        var lines: [String] = []
    }

    static let executions = [JazzyExecution.loop, .workers]

    private static func handshake(_ server: JazzyServer, name: String?, path: String = "/room/7") throws
        -> TestHandshake
    {
        let headers: JazzyHeaders = name.map { ["Cookie": "name=\($0)"] } ?? [:]
        return try TestHandshake(port: server.port, path: path, headers: headers)
    }

    private static func expectStrangerToBeSentAway(_ server: JazzyServer) throws {
        let (status, head, body) = try handshake(server, name: nil).receiveRefusal()
        #expect(status == 401)
        #expect(headerValue("x-why", of: head) == "name")
        #expect(body == "Who are you?")
    }

    @Test("A called handler has the state, which it may change", arguments: HookPace.all, executions)
    func called(pace: HookPace, execution: JazzyExecution) throws {
        try withServer {
            let options = JazzyRouteOptions(execution: execution, subprotocols: ["chat"])
            $0.ws(
                "/room/:id", options: options, state: Seat.self,
                upgrade: { request in
                    try await pace.wait()
                    guard let name = request.cookie("name") else {
                        return .reject(401, headers: ["X-Why": "name"], body: .text("Who are you?"))
                    }
                    let seat = Seat(room: request.parameters["id"] ?? "none", name: name)
                    return .accept(seat, subprotocol: "", headers: ["X-Seat": "1"])
                }
            ) { ws, event, message in
                if event == .open { ws.send("\(ws.state.name) in \(ws.state.room)") }
                guard event == .message else { return }
                ws.state.name += message.text
                ws.send(ws.state.name)
            }
        } body: { server in
            let client = try TestClient(try Self.handshake(server, name: "Ada"))
            #expect(headerValue("x-seat", of: client.head) == "1")
            #expect(try client.receiveText() == "Ada in 7")
            try client.send("!")
            #expect(try client.receiveText() == "Ada!")
            try Self.expectStrangerToBeSentAway(server)
        }
    }

    @Test("A handler that is a task has the state", arguments: HookPace.all, executions)
    func task(pace: HookPace, execution: JazzyExecution) throws {
        try withServer {
            $0.ws(
                "/room/:id", options: JazzyRouteOptions(execution: execution),
                upgrade: { request -> JazzyAdmission<Seat> in
                    try await pace.wait()
                    guard let name = request.cookie("name") else {
                        return .reject(401, headers: ["X-Why": "name"], body: .text("Who are you?"))
                    }
                    return .accept(Seat(room: request.parameters["id"] ?? "none", name: name))
                }
            ) { ws, messages in
                ws.send("\(ws.state.name) in \(ws.state.room), \(ws.parameters["id"] ?? "nowhere")")
                for try await message in messages { ws.send(ws.state.name + message.text) }
            }
        } body: { server in
            let client = try TestClient(try Self.handshake(server, name: "Ada"))
            #expect(try client.receiveText() == "Ada in 7, 7")
            try client.send("!")
            #expect(try client.receiveText() == "Ada!")
            try Self.expectStrangerToBeSentAway(server)
        }
    }

    @Test("The state need not be Sendable", arguments: HookPace.all, executions)
    func notSendable(pace: HookPace, execution: JazzyExecution) throws {
        try withServer {
            $0.ws(
                "/", options: JazzyRouteOptions(execution: execution), state: Notes.self,
                upgrade: { request in
                    let notes = Notes()
                    notes.lines.append(request.path)
                    try await pace.wait()
                    return .accept(notes)
                }
            ) { ws, event, message in
                guard event == .message else { return }
                ws.state.lines.append(message.text)
                ws.send(ws.state.lines.joined(separator: " "))
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send("one")
            #expect(try client.receiveText() == "/ one")
        }
    }

    @Test("Notices about output have the state, too")
    func notices() throws {
        let drained = Recorder<String>()
        try withServer {
            var options = JazzyRouteOptions(backpressureLimit: 4_096)
            options.backpressurePolicy = .report
            $0.ws(
                "/", options: options, upgrade: { .accept($0.path) },
                onDrain: { ws in
                    drained.record("drained \(ws.state)")
                    ws.send("go on")
                },
                onDrop: { ws in drained.record("dropped \(ws.state)") }
            ) { ws, event, _ in
                guard event == .open else { return }
                for _ in 0..<200_000 where ws.send([UInt8](repeating: 0, count: 4_000)) == .dropped { break }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            _ = try drained.values(count: 1)
            // Its output may be there before it is told that it has drained.
            while try client.receive().opcode != .text {}
            #expect(drained.values == ["dropped /", "drained /"])
        }
    }

    @Test("It is released once, whatever becomes of the client", arguments: UpgradeStateTests.Fate.all, executions)
    func release(fate: UpgradeStateTests.Fate, execution: JazzyExecution) throws {
        let (gate, asked, released) = (Gate(), Recorder<Bool>(), Recorder<Bool>())
        let upgrade: JazzyAdmissionHook<Tracked> = { _ in
            let state = Tracked { released.record(true) }
            asked.record(true)
            await gate.pass()
            switch fate.testDescription {
            case "the answer may not be sent": return .accept(state, headers: ["X": "\n"])
            case "the subprotocol is not offered": return .accept(state, subprotocol: "chat")
            default: return .accept(state)
            }
        }
        try withServer(options: UpgradeTests.options(Recorder())) {
            let options = JazzyRouteOptions(execution: execution, upgradeTimeout: fate.upgradeTimeout)
            $0.ws("/", options: options, upgrade: upgrade) { ws, event, _ in
                guard event == .message else { return }
                ws.state = Tracked {}
                ws.send("replaced")
            }
            $0.ws("/task", options: options, upgrade: upgrade) { ws, messages in
                for try await _ in messages {
                    ws.send("replaced")
                    return
                }
            }
        } body: { server in
            for (number, path) in ["/", "/task"].enumerated() {
                gate.close()
                let handshake = try TestHandshake(port: server.port, path: path)
                _ = try asked.values(count: number + 1)
                try fate.meet(handshake, gate)
                #expect(try released.values(count: number + 1).count == number + 1)
            }
        }
        #expect(released.values == [true, true])
    }

    @Test("If the hook throws, that is logged and the client is answered with 500")
    func throwing() throws {
        let log = Recorder<String>()
        try withServer(options: UpgradeTests.options(log)) {
            $0.ws("/", upgrade: { _ -> JazzyAdmission<Int> in throw Mishap() }) { _, _, _ in }
        } body: { server in
            let handshake = try TestHandshake(port: server.port, path: "/")
            #expect(try handshake.receiveStatus() == 500)
            #expect(log.values == ["error: \(handshake.socket.localAddress): the upgrade hook of / threw Mishap"])
        }
    }

    @Test("Compression can be declined for one client", arguments: [JazzyDeflate.shared, .dedicated])
    func compression(deflate: JazzyDeflate) throws {
        let text = String(repeating: "again ", count: 50)
        try withServer {
            let options = JazzyRouteOptions(deflate: deflate)
            $0.ws("/typed", options: options, upgrade: { .accept(0, compression: $0.query.isEmpty) }) { ws, event, _ in
                if event == .open { ws.send(text) }
            }
            let upgrade: JazzyUpgradeHook = { .accept(compression: $0.query.isEmpty) }
            $0.ws("/plain", options: options, upgrade: upgrade) { ws, event, _ in
                if event == .open { ws.send(text) }
            }
        } body: { server in
            for path in ["/typed", "/plain"] {
                let usual = try TestClient(port: server.port, path: path, extensions: "permessage-deflate")
                #expect(usual.extensions != nil)
                #expect(try usual.receive().isCompressed)
                let declined = try TestClient(port: server.port, path: path + "?no", extensions: "permessage-deflate")
                #expect(declined.extensions == nil)
                #expect(try declined.receive() == .init(opcode: .text, payload: Array(text.utf8)))
            }
        }
    }

    @Test("An admission can be looked at, and describes itself without its secrets")
    func description() {
        let accepted = JazzyAdmission.accept("secret", headers: ["Set-Cookie": "secret"], compression: false)
        #expect(accepted.state == "secret")
        #expect("\(accepted)" == #".accept(subprotocol: nil, headers: ["Set-Cookie"], compression: false)"#)
        let rejected = JazzyAdmission<String>.reject(404, body: .text("secret"))
        #expect(rejected.state == nil)
        #expect("\(rejected)" == ".reject(404, headers: [])")
    }
}

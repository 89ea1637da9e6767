import JazzySwift
import JazzyTesting
import Testing

@Suite("A probe of an upgrade hook")
struct UpgradeProbeTests {
    static let hook: JazzyUpgradeHook = { request in
        await Task.yield()
        guard request.cookie("session") == "secret" else {
            return .reject(401, headers: ["WWW-Authenticate": "Form"], body: .text("Who are you?"))
        }
        return .accept(
            subprotocol: request.subprotocols.last, headers: ["Set-Cookie": "seen=1"], state: request.queryValue("name")
        )
    }

    @Test("A client that is let in has the response, and its state")
    func accepting() async throws {
        let probe = JazzyProbe(
            path: "/room/7?name=Ada",
            headers: ["Cookie": "session=secret", "Sec-WebSocket-Protocol": "chat, better-chat"], route: "/room/:id",
            upgrade: Self.hook
        ) { ws, event, _ in
            if event == .open { ws.send(ws.withState(as: String.self) { $0 } ?? "") }
        }
        let response = try await probe.open()
        #expect(response.isAccepted)
        #expect(response.subprotocol == "better-chat")
        #expect(response.header("set-cookie") == "seen=1")
        #expect(probe.sent == ["Ada"])
    }

    @Test("A client that is refused has the response, too")
    func refusing() async throws {
        let probe = JazzyProbe(path: "/room/7", route: "/room/:id", upgrade: Self.hook) { _, _, _ in }
        let error = await #expect(throws: JazzyTestError.self) { try await probe.open() }
        #expect(error?.code == .refused)
        #expect(error?.response == probe.response)
        #expect(probe.response?.status == 401)
        #expect(probe.response?.header("WWW-Authenticate") == "Form")
        #expect(probe.response?.text == "Who are you?")
        #expect(!probe.isOpen)
    }

    @Test("A client of a path without a route is refused")
    func noRoute() async throws {
        let probe = JazzyProbe(path: "/nowhere", route: "/somewhere") { _, _, _ in }
        let error = await #expect(throws: JazzyTestError.self) { try await probe.open() }
        #expect(error?.response?.status == 404)
    }

    @Test("What a hook decides can be looked at without any client")
    func verdicts() async throws {
        let accepted = try await Self.hook(
            JazzyRequest(query: "name=Ada", headers: ["Cookie": "session=secret"], subprotocols: ["chat"]))
        #expect(accepted.isAccepted)
        #expect(accepted.status == 101)
        #expect(accepted.subprotocol == "chat")
        #expect(accepted.headers == ["Set-Cookie": "seen=1"])
        #expect(accepted.state as? String == "Ada")
        #expect(accepted.body == nil)
        #expect(accepted.allowsCompression)

        let rejected = try await Self.hook(JazzyRequest())
        #expect(!rejected.isAccepted)
        #expect(rejected.status == 401)
        #expect(rejected.subprotocol == nil)
        #expect(rejected.headers == ["WWW-Authenticate": "Form"])
        #expect(rejected.state == nil)
        #expect(rejected.body == .text("Who are you?"))
        #expect(!rejected.allowsCompression)
    }

    struct Seat: Sendable { let name: String }

    static let admission: JazzyAdmissionHook<Seat> = { request in
        guard let name = request.cookie("name") else { return .reject(401, body: .text("Who are you?")) }
        return .accept(Seat(name: name), subprotocol: "", headers: ["X-Seat": "1"], compression: false)
    }

    @Test("The same is true of a hook that gives a state of the route's type")
    func admissions() async throws {
        let accepted = try await Self.admission(JazzyRequest(headers: ["Cookie": "name=Ada"]))
        #expect(accepted.isAccepted && accepted.status == 101 && accepted.state?.name == "Ada")
        #expect(accepted.subprotocol == "" && accepted.headers == ["X-Seat": "1"])
        #expect(!accepted.allowsCompression && accepted.body == nil)
        let rejected = try await Self.admission(JazzyRequest())
        #expect(!rejected.isAccepted && rejected.status == 401 && rejected.body == .text("Who are you?"))

        let server = JazzyServer()
        server.ws("/", upgrade: Self.admission) { ws, event, message in
            if event == .open { ws.send(ws.state.name) }
        }
        let probe = JazzyProbe(server, headers: ["Cookie": "name=Ada"])
        #expect(try await probe.open().header("X-Seat") == "1")
        #expect(probe.sent == ["Ada"])
    }
}

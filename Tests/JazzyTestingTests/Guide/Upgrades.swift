import JazzySwift
import JazzyTesting
import Testing

let membersOnly: JazzyUpgradeHook = { request in
    guard let user = request.cookie("user") else { return .reject(401, headers: ["WWW-Authenticate": "Form"]) }
    return .accept(state: user)
}

@Test func letsMembersIn() async throws {
    let verdict = try await membersOnly(JazzyRequest(headers: ["Cookie": "user=Ada"]))
    #expect(verdict.isAccepted)
    #expect(verdict.state as? String == "Ada")
}

@Test func refusesOthers() async throws {
    let probe = JazzyProbe(path: "/room/7", route: "/room/:id", upgrade: membersOnly) { _, _, _ in }
    let error = await #expect(throws: JazzyTestError.self) { try await probe.open() }
    #expect(error?.response?.status == 401)
    #expect(probe.response?.header("WWW-Authenticate") == "Form")
}

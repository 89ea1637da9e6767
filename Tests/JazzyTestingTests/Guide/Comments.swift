import JazzySwift
import JazzyTesting
import Testing

@Test func greets() async throws {
    let probe = JazzyProbe { ws, event, message in
        if event == .open { ws.subscribe("guests") }
        if event == .message, message.kind == .text { ws.send("Hello, " + message.text + "!") }
    }
    try await probe.open()
    try await probe.text("Ada")
    #expect(probe.sent == ["Hello, Ada!"])
    #expect(probe.topics == ["guests"])
}

@Test func usesEachExampleOfAMember() async throws {
    let server = JazzyServer()
    server.ws("/room/:id") { ws, event, message in
        if event == .open { ws.subscribe("news") }
    }
    let alice = JazzyProbe(server, "/room/7", headers: ["Cookie": "user=alice"])
    let bob = JazzyProbe(server, "/room/7", headers: ["Cookie": "user=bob"])
    try await alice.open()
    let probe = bob
    try await probe.open()

    server.publish("news", "It rains.")
    try await probe.settle()
    #expect(probe.sent.last == "It rains.")

    server.publish("news", [1, 2, 3])
    try await probe.settle()
    #expect(probe.sent == ["It rains.", WsOwnedMessage([1, 2, 3])])

    try await probe.raw(JazzyTestFrame("not masked").bytes)
    #expect(probe.closed?.failure == WsError(.notMasked))
}

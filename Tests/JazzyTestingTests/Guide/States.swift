import JazzySwift
import JazzyTesting
import Testing

struct Player { var score = 0 }

@Test func counts() async throws {
    let probe = JazzyProbe(state: { Player() }) { ws, event, message in
        guard event == .message, message.kind == .text else { return }
        ws.state.score += 1
        ws.send("\(ws.state.score) points")
    }
    try await probe.open()
    for _ in 1...3 { try await probe.text("hit") }
    #expect(probe.sent.last == "3 points")
}

@Test func endsWhoSendsTooMuch() async throws {
    let probe = JazzyProbe(options: JazzyRouteOptions(maxMessageSize: 10)) { _, _, _ in }
    try await probe.open()
    try await probe.text("more than ten bytes")
    #expect(probe.closed?.failure == WsError(.messageTooBig))
}

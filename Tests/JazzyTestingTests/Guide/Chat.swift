import JazzySwift
import JazzyTesting
import Testing

let chat: JazzyHandler = { ws, event, message in
    if event == .open { ws.subscribe("chat") }
    guard event == .message, message.kind == .text else { return }
    if message.text == "/quit" { ws.close(code: 4000, reason: "bye") } else { ws.publish("chat", message.text) }
}

@Test func publishesWhatIsSaid() async throws {
    let probe = JazzyProbe(chat)
    try await probe.open()
    #expect(probe.topics == ["chat"])
    try await probe.text("Hello!")
    #expect(probe.published == [JazzyPublication("chat", "Hello!")])
    #expect(probe.sent == [])  // who publishes does not get it
}

@Test func quits() async throws {
    let probe = JazzyProbe(chat)
    try await probe.open()
    try await probe.text("/quit")
    #expect(probe.closeFrame == JazzyTestClose(code: 4000, reason: "bye"))
    #expect(probe.closed?.cause == .application)
}

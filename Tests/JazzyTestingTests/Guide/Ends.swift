import JazzySwift
import JazzyTesting
import Testing

@Test func tellsWhyAClientHasGone() async throws {
    let probe = JazzyProbe { ws, event, message in
        if case .close(let close) = event { ws.publish("ends", "\(close.code)") }
    }
    try await probe.open()
    try await probe.disconnect()
    #expect(probe.published == [JazzyPublication("ends", "1006")])
}

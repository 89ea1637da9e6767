import JazzySwift
import JazzyTesting
import Testing

@Test func ticks() async throws {
    let probe = JazzyProbe { ws, _ in
        for tick in 1... {
            ws.send("\(tick)")
            try await Task.sleep(for: .milliseconds(1))
        }
    }
    try await probe.open(untilHandled: false)
    #expect(try await probe.message() == "1")
    #expect(try await probe.message() == "2")
}

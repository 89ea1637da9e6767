import Foundation
import JazzySwift
import JazzyTesting
import Testing

@Suite("What a probe sends in parts, or side by side, is waited for as what it sends alone")
struct SideBySideTests {
    /// A probe of a handler that takes its time, and then records the text.
    private static func probe(_ journal: Journal, _ execution: JazzyExecution = .workers) async throws -> JazzyProbe {
        let probe = JazzyProbe(options: JazzyRouteOptions(execution: execution)) { ws, event, message in
            guard event == .message, message.kind == .text else { return }
            // So that it is seen who does not wait.
            Thread.sleep(forTimeInterval: 0.002)
            journal.record(message.text)
            ws.send(message.text)
        }
        try await probe.open()
        return probe
    }

    @Test("A text waits until it was handled, and not one before it that was sent as bytes, in parts")
    func bytesBefore() async throws {
        let journal = Journal()
        let probe = try await Self.probe(journal)
        let mask: [UInt8] = [1, 2, 3, 4]
        let bytes =
            JazzyTestFrame(.text, "o".utf8, isFinal: false, mask: mask).bytes
            + JazzyTestFrame(.continuation, "ne".utf8, mask: mask).bytes
        try await probe.raw(Array(bytes.prefix(3)))
        try await probe.raw(Array(bytes.dropFirst(3)))
        #expect(try await probe.message() == "one")
        try await probe.text("two")
        #expect(journal.values == ["one", "two"])
    }

    @Test("Of texts that are sent side by side, each waits until it was handled itself")
    func texts() async throws {
        let journal = Journal()
        let probe = try await Self.probe(journal)
        try await withThrowingTaskGroup { group in
            for number in 1...100 {
                group.addTask {
                    try await probe.text("\(number)")
                    #expect(journal.values.contains("\(number)"))
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("Of pings that are sent side by side, each waits for its own pong")
    func pings() async throws {
        let probe = try await Self.probe(Journal(), .loop)
        try await withThrowingTaskGroup { group in
            for number in UInt8(1)...100 {
                // For which the pings behind it wait, on the loop.
                if number % 4 == 1 { group.addTask { try await probe.text("slow") } }
                group.addTask {
                    try await probe.ping([number])
                    #expect(probe.pongs.contains([number]))
                }
            }
            try await group.waitForAll()
        }
        #expect(probe.pongs.count == 100)
    }
}

import Foundation
import JazzySwift
import JazzyTesting
import Testing

@Suite("Probes, their time limits and their servers")
struct ProbeLimitTests {
    static let short = Duration.milliseconds(50)

    /// Again and again, until it takes no longer than that, as anything may on a busy machine.
    private static func untilInTime(_ body: () async throws -> Void) async throws {
        while true {
            do {
                return try await body()
            } catch let error as JazzyTestError where error.code == .timeout {}
        }
    }

    /// A probe that has opened in time.
    private static func opened(_ make: () -> JazzyProbe) async throws -> JazzyProbe {
        var probe = make()
        try await untilInTime {
            probe = make()
            try await probe.open()
        }
        return probe
    }

    @Test("What does not happen in time is an error that says what is missing", .timeLimit(.minutes(5)))
    func timeLimits() async throws {
        var error: JazzyTestError?
        repeat {
            let stuck = try await Self.opened {
                JazzyProbe(timeLimit: Self.short) { ws, messages in
                    for try await message in messages where message.text == "wait" {
                        try await Task.sleep(for: .seconds(3_600))
                    }
                }
            }
            error = await #expect(throws: JazzyTestError.self) { try await stuck.text("wait") }
            #expect(error?.code == .timeout)
            // A busy machine may take longer even for what comes before, which says something else.
        } while error?.message.contains("untilHandled: false") == false

        let silent = try await Self.opened { JazzyProbe(timeLimit: Self.short) { _, _, _ in } }
        error = await #expect(throws: JazzyTestError.self) { try await silent.message() }
        #expect(error?.code == .timeout)
        #expect(error?.message.contains("no further message") == true)
    }

    @Test("A handler that does not read is told apart from one that is slow", .timeLimit(.minutes(5)))
    func paused() async throws {
        let probe = try await Self.opened {
            JazzyProbe(timeLimit: Self.short) { ws, event, _ in
                if event == .open { ws.pauseReading() }
            }
        }
        let error = await #expect(throws: JazzyTestError.self) { try await probe.text("unread") }
        #expect(error?.message.contains("reading was paused") == true)
        probe.webSocket?.resumeReading()
        try await Self.untilInTime { try await probe.text("read") }
    }

    @Test("The loss of a client is seen by a handler that does not read, too")
    func pausedAndLost() async throws {
        let probe = JazzyProbe { ws, event, _ in
            if event == .open { ws.pauseReading() }
        }
        try await probe.open()
        try await probe.lose()
        #expect(probe.closed?.code == 1_006)
    }

    @Test("A task that waits for a probe can be cancelled")
    func cancelling() async throws {
        let probe = JazzyProbe { _, _, _ in }
        try await probe.open()
        let waiting = Task { try await probe.message() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
    }

    @Test("A probe opens once, and before anything else")
    func order() async throws {
        let probe = JazzyProbe { _, _, _ in }
        var error = await #expect(throws: JazzyTestError.self) { try await probe.text("too early") }
        #expect(error?.code == .invalidState)
        try await probe.open()
        error = await #expect(throws: JazzyTestError.self) { try await probe.open() }
        #expect(error?.code == .invalidState)
    }

    @Test("Wrong options are an error, and so is a server that listens already")
    func wrongServers() async throws {
        let wrong = JazzyProbe(options: JazzyRouteOptions(maxMessageSize: 0)) { _, _, _ in }
        let error = await #expect(throws: JazzyError.self) { try await wrong.open() }
        #expect(error?.code == .invalidOption)

        let server = JazzyServer()
        try server.listen(host: "127.0.0.1")
        let late = await #expect(throws: JazzyError.self) { try await JazzyProbe(server).open() }
        #expect(late?.code == .invalidState)
        #expect(server.port > 0, "it was left alone")
    }

    @Test("A server may be probed again when its probes are gone")
    func again() async throws {
        let server = JazzyServer()
        server.ws("/") { ws, event, _ in if event == .open { ws.send("welcome") } }
        for _ in 1...3 {
            let probe = JazzyProbe(server)
            try await probe.open()
            #expect(probe.sent == ["welcome"])
        }
    }

    @Test("A thousand probes, one after the other and side by side, leave nothing behind", .timeLimit(.minutes(5)))
    func aThousand() async throws {
        let released = Tally()
        let descriptors = try descriptorCount()
        for _ in 1...500 { try await Self.play(released) }
        try await withThrowingTaskGroup { group in
            for _ in 1...500 { group.addTask { try await Self.play(released) } }
            try await group.waitForAll()
        }
        await released.wait(for: 1_000)
        // Tests that run meanwhile have descriptors, too, but not for long.
        while try descriptorCount() >= descriptors + 500 { try await Task.sleep(for: .milliseconds(5)) }
    }

    private static func play(_ released: Tally) async throws {
        let tracked = Tracked(released)
        let probe = JazzyProbe { ws, event, message in
            withExtendedLifetime(tracked) {
                if event == .message, message.kind == .text { ws.send(message.text) }
            }
        }
        try await probe.open()
        try await probe.text("hello")
        #expect(probe.sent == ["hello"])
    }

    @Test("Many probes of one server are many connections of it")
    func many() async throws {
        let server = JazzyServer()
        server.ws("/") { ws, event, message in
            if event == .open { ws.subscribe("all") }
            if event == .message, message.kind == .text { ws.publish("all", message.text) }
        }
        let probes = (0..<200).map { _ in JazzyProbe(server) }
        for probe in probes { try await probe.open() }
        try await probes[0].text("hello")
        #expect(probes.dropFirst().allSatisfy { $0.sent == ["hello"] })
        #expect(server.statistics.webSockets == 200)
    }
}

/// How many descriptors this process has.
private func descriptorCount() throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "/dev/fd").count
}

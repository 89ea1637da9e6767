import JazzySwift
import Synchronization
import Testing

@Suite("Upgrade hooks that nobody waits for any more", .ownThreads)
struct UpgradeCancellationTests {
    /// A hook that takes an hour, unless it is cancelled.
    final class SlowHook: Sendable {
        private let begun = Atomic(0)
        private let ended = Atomic(0)
        private let cancelled = Atomic(0)

        var begunCount: Int { begun.load(ordering: .sequentiallyConsistent) }
        var endedCount: Int { ended.load(ordering: .sequentiallyConsistent) }
        var cancelledCount: Int { cancelled.load(ordering: .sequentiallyConsistent) }

        @Sendable func callAsFunction(_ request: JazzyRequest) async throws -> JazzyUpgrade {
            begun.add(1, ordering: .sequentiallyConsistent)
            defer { ended.add(1, ordering: .sequentiallyConsistent) }
            do {
                try await Task.sleep(for: .seconds(3_600))
            } catch is CancellationError {
                cancelled.add(1, ordering: .sequentiallyConsistent)
                throw CancellationError()
            }
            return .accept()
        }

        /// Waits until so many were asked, and all were cancelled.
        func expectCancelled(_ count: Int) throws {
            try eventually("\(count) hooks are cancelled", within: .seconds(60)) { endedCount == count }
            #expect(begunCount == count)
            #expect(cancelledCount == count)
        }
    }

    static func server(_ hook: SlowHook, upgradeTimeout: Duration, options: JazzyOptions) -> JazzyServer {
        let server = JazzyServer(options: options)
        let route = JazzyRouteOptions(upgradeTimeout: upgradeTimeout)
        server.ws("/slow", options: route, upgrade: { try await hook($0) }) { _, _, _ in
            Issue.record("nobody was let in")
        }
        return server
    }

    static func ask(_ count: Int, _ server: JazzyServer) throws -> [TestHandshake] {
        try (1...count).map { _ in try TestHandshake(port: server.port, path: "/slow") }
    }

    @Test("Of 3,000 whose time is over none stays, and a few lines name their route")
    func timeout() throws {
        let (hook, log) = (SlowHook(), LogLines())
        let server = Self.server(hook, upgradeTimeout: .milliseconds(100), options: log.options(.info))
        try server.start(host: "127.0.0.1")
        for _ in 1...10 {
            let statuses = try Self.ask(300, server).map { try $0.receiveStatus() }
            #expect(statuses.allSatisfy { $0 == 503 })
        }
        try hook.expectCancelled(3_000)
        #expect(server.statistics.refused(for: .upgradeTimeout) == 3_000)
        server.stop()
        server.wait()
        let line = /127\.0\.0\.1:[0-9]+: refused: the upgrade hook of \/slow did not answer within 100 ms .*/
        let warnings = log.texts(of: .warning)
        let told = warnings.filter { $0.wholeMatch(of: line) != nil }
        let counted = warnings.compactMap { $0.wholeMatch(of: /([0-9]+) more lines about peers were left out/)?.1 }
        #expect(told.count + counted.compactMap { Int($0) }.reduce(0, +) == 3_000)
        #expect(warnings.count == told.count + counted.count)
        #expect(warnings.count < 1_000)
        #expect(log.texts(of: .error).isEmpty, "that it was cancelled is no error")
    }

    @Test("A server that stops cancels them, and its end does not wait for them")
    func stop() throws {
        for grace in [Duration.zero, .seconds(5)] {
            let hook = SlowHook()
            let server = Self.server(hook, upgradeTimeout: .seconds(3_600), options: .patient)
            try server.start(host: "127.0.0.1")
            let handshakes = try Self.ask(300, server)
            try eventually("all were asked") { hook.begunCount == 300 }
            #expect(hook.endedCount == 0)
            server.stop(grace: grace)
            try hook.expectCancelled(300)
            withExtendedLifetime(handshakes) {}
        }
    }

    @Test("They do not keep a server that nobody refers to")
    func release() throws {
        let hook = SlowHook()
        var server: JazzyServer? = Self.server(hook, upgradeTimeout: .seconds(3_600), options: .patient)
        try server?.start(host: "127.0.0.1")
        let handshakes = try Self.ask(100, try #require(server))
        try eventually("all were asked") { hook.begunCount == 100 }
        weak let released = server
        server = nil
        #expect(released == nil)
        try hook.expectCancelled(100)
        withExtendedLifetime(handshakes) {}
    }

    @Test("A client that resets the connection is not decided upon any longer")
    func reset() throws {
        let hook = SlowHook()
        let server = Self.server(hook, upgradeTimeout: .seconds(3_600), options: .patient)
        try server.start(host: "127.0.0.1")
        let (leaving, staying) = (try Self.ask(100, server), try Self.ask(1, server))
        try eventually("all were asked") { hook.begunCount == 101 }
        for handshake in leaving { handshake.socket.reset() }
        try eventually("100 hooks are cancelled") { hook.cancelledCount == 100 }
        try eventually("one is left") { server.statistics.handshakes == 1 }
        withExtendedLifetime(staying) {}
    }

    @Test("A hook that answers is not cancelled", arguments: HookPace.all)
    func answering(pace: HookPace) throws {
        let wasCancelled = Recorder<Bool>()
        try withServer {
            let upgrade: JazzyUpgradeHook = { _ in
                try await pace.wait()
                wasCancelled.record(Task.isCancelled)
                return .accept()
            }
            $0.ws("/", upgrade: upgrade) { ws, event, _ in if event == .open { ws.send("welcome") } }
        } body: { server in
            let texts = try (1...20).map { _ in try TestClient(port: server.port, path: "/").receiveText() }
            #expect(texts.allSatisfy { $0 == "welcome" })
            #expect(wasCancelled.values == Array(repeating: false, count: 20))
        }
    }

    @Test("What a hook does when it is cancelled may use the server, and may take its locks")
    func cancellationHandler() throws {
        let (asked, handled) = (Recorder<Bool>(), Recorder<JazzySendStatus>())
        let server = JazzyServer(options: .patient)
        let held = Holder<JazzyServer>()
        held.value = server
        defer { held.value = nil }
        let upgrade: JazzyUpgradeHook = { _ in
            await withTaskCancellationHandler {
                asked.record(true)
                // Until it was called, and not only until the task is cancelled: in between the operation could return,
                // and then it never is.
                while handled.values.isEmpty { await Task.yield() }
                return .accept()
            } onCancel: {
                guard let server = held.value else { return }
                server.stop()
                handled.record(server.publish("topic", "text"))
            }
        }
        server.ws("/", options: JazzyRouteOptions(upgradeTimeout: .milliseconds(100)), upgrade: upgrade) { _, _, _ in
            Issue.record("nobody was let in")
        }
        try server.start(host: "127.0.0.1")
        let handshake = try TestHandshake(port: server.port, path: "/")
        _ = try asked.values(count: 1)
        #expect(try handshake.receiveStatus() == 503)
        server.wait()
        #expect(handled.values.count == 1)
    }
}

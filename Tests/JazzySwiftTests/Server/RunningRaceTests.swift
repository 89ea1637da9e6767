import Dispatch
import Synchronization
import Testing

@testable import JazzySwift

@Suite("Servers that are run, stopped and waited for at the same time", .ownThreads)
struct RunningRaceTests {
    static let options = {
        var options = JazzyOptions()
        options.threads = 1
        options.receiveBufferSize = 4_096
        return options
    }()

    /// Threads that wait for a server again and again, while `body` runs.
    static func withWaiters(for server: JazzyServer, body: () throws -> Void) throws {
        let isOver = Atomic(false)
        let waiters = (1...4).map { _ in
            BackgroundThread { while !isOver.load(ordering: .relaxed) { server.wait() } }
        }
        defer { isOver.store(true, ordering: .relaxed) }
        try body()
        isOver.store(true, ordering: .relaxed)
        for waiter in waiters { try waiter.wait() }
    }

    @Test("Who waits for a server that starts does not take it for one that has ended")
    func start() throws {
        let server = JazzyServer(options: Self.options)
        try Self.withWaiters(for: server) {
            for round in 1...500 {
                try server.start(host: "127.0.0.1")
                try #require(server.port > 0, "round \(round): it runs until it is stopped")
                server.stop()
                server.wait()
                try #require(server.port == 0, "round \(round): it has ended")
            }
        }
    }

    @Test("Who waits for a server that is run does not take it for one that has ended, and stopping ends it")
    func run() throws {
        let server = JazzyServer(options: Self.options)
        let rounds = Atomic(0)
        try Self.withWaiters(for: server) {
            let runner = BackgroundThread {
                for _ in 1...500 {
                    try server.listen(host: "127.0.0.1")
                    try server.run()
                    rounds.add(1, ordering: .relaxed)
                }
            }
            try eventually("every run has ended", within: .seconds(60)) {
                try runner.throwIfFailed()
                server.stop()
                return rounds.load(ordering: .relaxed) == 500
            }
            try runner.wait()
        }
        #expect(server.port == 0)
    }

    @Test("Of many that stop and wait at once, each returns, and the server starts again")
    func manyEnd() async throws {
        let server = JazzyServer(options: Self.options)
        for _ in 1...200 {
            try server.start(host: "127.0.0.1")
            let ends = [
                BackgroundThread { _ = server.stop(grace: .zero) },
                BackgroundThread {
                    server.stop()
                    server.wait()
                },
                BackgroundThread {
                    server.drain()
                    server.wait()
                },
            ]
            for end in ends { try end.wait() }
            try #require(server.port == 0)
        }
    }

    /// Ways to end a server.
    struct End: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let end: @Sendable (JazzyServer) async -> Void

        static let all = [
            End(testDescription: "stop and wait", end: blocking(stopAndWait)),
            End(testDescription: "stop with a grace", end: blocking { $0.stop(grace: .seconds(1)) }),
            End(testDescription: "stop, awaited") { await $0.stopAndWait(grace: .seconds(1)) },
            End(testDescription: "stop, and await the end") {
                $0.stop()
                await $0.waitForEnd()
            },
            End(testDescription: "drain and wait", end: blocking(drainAndWait)),
        ]

        private static func blocking(
            _ end: @escaping @Sendable (JazzyServer) -> Void
        ) -> @Sendable (JazzyServer) async -> Void { end }

        @Sendable private static func stopAndWait(_ server: JazzyServer) {
            server.stop()
            server.wait()
        }

        @Sendable private static func drainAndWait(_ server: JazzyServer) {
            server.drain()
            server.wait()
        }
    }

    /// The tests that await other things block for this, on their own threads.
    static func run(_ server: JazzyServer) throws {
        try server.run()
    }

    @Test("A server that listens and is stopped before it runs has ended, and may listen again", arguments: End.all)
    func neverRan(end: End) async throws {
        let server = JazzyServer()
        for _ in 1...3 {
            try server.listen(host: "127.0.0.1")
            let port = server.port
            await end.end(server)
            #expect(server.port == 0)
            #expect(throws: TestFailure.self, "nobody listens") { try TestSocket(port: port) }
        }
        try server.listen(host: "127.0.0.1")
        await end.end(server)
        try Self.run(server)
        let error = #expect(throws: JazzyError.self, "it ran for no time, once") { try Self.run(server) }
        #expect(error?.code == .invalidState)
        try server.start(host: "127.0.0.1")
        #expect(server.port > 0)
        await end.end(server)
    }

    @Test("Waiting for a server that listens, and neither runs nor was stopped, leaves it as it is")
    func waitForNothing() throws {
        let server = JazzyServer()
        server.wait()
        try server.listen(host: "127.0.0.1")
        server.wait()
        #expect(server.port > 0)
        try inBackground {
            try server.run()
        } while: {
            server.stop()
        }
        #expect(server.port == 0)
    }

    /// Begins to listen, and looks up names until `goesOn` is signalled.
    static func listenSlowly(_ server: JazzyServer, _ goesOn: DispatchSemaphore) throws -> BackgroundThread {
        let looksUp = DispatchSemaphore(value: 0)
        let listener = BackgroundThread {
            try server.listen(on: [.port(0, host: "127.0.0.1")], options: options) {
                (options, routes, addresses) throws(JazzyError) in
                looksUp.signal()
                goesOn.wait()
                return try CoreServer(options: options, routes: routes, addresses: addresses)
            }
        }
        looksUp.wait()
        return listener
    }

    @Test("While names are looked up nobody else waits")
    func slowNames() throws {
        let server = JazzyServer(options: Self.options)
        let goesOn = DispatchSemaphore(value: 0)
        let listener = try Self.listenSlowly(server, goesOn)
        let user = BackgroundThread {
            #expect(server.port == 0)
            #expect(server.publish("topic", "text") == .closed)
            #expect(server.subscriberCount("topic") == 0)
            #expect(server.statistics.connections == 0)
            #expect(throws: JazzyError.self) { try server.listen(host: "127.0.0.1") }
            #expect(throws: JazzyError.self) { try server.run() }
            server.wait()
            server.drain(deadline: .after(.zero))
            server.stop()
        }
        try user.wait()
        goesOn.signal()
        try listener.wait()
        // That it was to stop was kept in mind.
        try server.run()
        #expect(server.port == 0)
    }

    @Test("Who stops a server that looks up names, and waits, waits until that is over")
    func stopSlowNames() throws {
        let server = JazzyServer(options: Self.options)
        let goesOn = DispatchSemaphore(value: 0)
        let listener = try Self.listenSlowly(server, goesOn)
        let hasEnded = Atomic(false)
        server.stop()
        let waiter = BackgroundThread {
            #expect(server.stop(grace: .zero) == JazzyEnding())
            #expect(server.port == 0)
            hasEnded.store(true, ordering: .relaxed)
            try server.start(host: "127.0.0.1")
        }
        let hasEndedEarly = hasEnded.load(ordering: .relaxed)
        #expect(!hasEndedEarly)
        goesOn.signal()
        try listener.wait()
        try waiter.wait()
        #expect(server.port > 0)
    }

    @Test("If listening fails, who waited for that goes on, and the server may listen again")
    func failure() throws {
        let server = JazzyServer(options: Self.options)
        let goesOn = DispatchSemaphore(value: 0)
        let looksUp = DispatchSemaphore(value: 0)
        let listener = BackgroundThread {
            let error = #expect(throws: JazzyError.self) {
                try server.listen(on: [], options: Self.options) { (_, _, _) throws(JazzyError) in
                    looksUp.signal()
                    goesOn.wait()
                    throw JazzyError(.invalidAddress, "there is no such host")
                }
            }
            #expect(error?.code == .invalidAddress)
        }
        looksUp.wait()
        server.stop()
        let waiter = BackgroundThread { server.wait() }
        goesOn.signal()
        try listener.wait()
        try waiter.wait()
        try server.start(host: "127.0.0.1")
        #expect(server.port > 0)
    }

    @Test("The log may ask a server that begins to listen what it likes")
    func logAsks() throws {
        let asking = Holder<JazzyServer>()
        var options = Self.options
        options.log = { _, _ in _ = asking.value?.port }
        let server = JazzyServer(options: options)
        asking.value = server
        defer { asking.value = nil }
        let listener = BackgroundThread { try server.start(host: "127.0.0.1") }
        try listener.wait()
    }
}

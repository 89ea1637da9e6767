#if JazzyServiceLifecycle
    import Foundation
    import JazzyServiceLifecycle
    import JazzySwift
    import JazzyTesting
    import Logging
    import ServiceLifecycle
    import ServiceLifecycleTestKit
    import Testing

    #if JazzyMetrics
        import JazzyMetrics
        import MetricsTestKit
    #endif

    @Suite("A server as a service")
    struct ServiceTests {
        static let address = JazzyAddress.port(0, host: "127.0.0.1")

        /// A server that echoes, and gives its clients all the time that a test may take.
        static func server() -> JazzyServer {
            var options = JazzyOptions()
            options.threads = 1
            options.closeTimeout = .seconds(3_600)
            let server = JazzyServer(options: options)
            server.ws("/") { ws, event, message in
                if event == .message, message.kind == .text { ws.send(message.text) }
            }
            return server
        }

        static func client(of server: JazzyServer, answers: Bool = true) async throws -> JazzyTestClient {
            while server.port == 0 { try await Task.sleep(for: .milliseconds(2)) }
            let client = try await JazzyTestClient(server, "/", answersControlFrames: answers)
            try await expectEcho(client)
            return client
        }

        static func expectEcho(_ client: JazzyTestClient) async throws {
            try await client.send("echo")
            #expect(try await client.message().text == "echo")
        }

        /// Runs services in a group while `body` runs, which ends it.
        static func withGroup(
            _ services: [any Service], _ body: (ServiceGroup) async throws -> Void
        ) async throws {
            let group = ServiceGroup(
                services: services, logger: Logger(label: "tests") { _ in SwiftLogNoOpLogHandler() })
            async let running: Void = group.run()
            try await body(group)
            try await running
        }

        @Test("A graceful shutdown closes clients with 1001, after all that was sent to them")
        func shutdown() async throws {
            let server = Self.server()
            try server.listen(on: [Self.address])
            try await Self.withGroup([server]) { group in
                let client = try await Self.client(of: server)
                await group.triggerGracefulShutdown()
                #expect(try await client.awaitClose() == JazzyTestClose(code: 1001))
                try await client.awaitEnd()
            }
            #expect(server.port == 0)
        }

        @Test("It listens where it is told, and ends with the code and the reason that were given")
        func farewell() async throws {
            let server = Self.server()
            let service = JazzyService(
                server, on: [Self.address], code: 1012, reason: "service restart", grace: .seconds(3_600))
            try await Self.withGroup([service]) { group in
                let client = try await Self.client(of: server)
                await group.triggerGracefulShutdown()
                #expect(try await client.awaitClose() == JazzyTestClose(code: 1012, reason: "service restart"))
            }
        }

        @Test("While it drains, clients are served on; when the last has left, it ends")
        func drain() async throws {
            let server = Self.server()
            try await Self.withGroup([JazzyService(server, on: [Self.address], drain: .seconds(3_600))]) { group in
                let client = try await Self.client(of: server)
                let port = server.port
                await group.triggerGracefulShutdown()
                // A connection that the kernel had queued before may still be accepted.
                while (try? await JazzyTestClient(port: port)) != nil {}
                try await Self.expectEcho(client)
                #expect(try await client.close().code == 1000)
            }
        }

        @Test("When the time to drain is over, who is left is closed with the code")
        func drained() async throws {
            let server = Self.server()
            let service = JazzyService(server, on: [Self.address], drain: .milliseconds(50), code: 4_000)
            try await Self.withGroup([service]) { group in
                let client = try await Self.client(of: server)
                await group.triggerGracefulShutdown()
                #expect(try await client.awaitClose().code == 4_000)
            }
        }

        @Test("Cancellation cuts off, also while a shutdown waits", arguments: [false, true])
        func cancellation(isShuttingDown: Bool) async throws {
            let server = Self.server()
            try server.listen(on: [Self.address])
            let trigger = AsyncStream.makeStream(of: GracefulShutdownTestTrigger.self)
            let running = Task {
                try await testGracefulShutdown {
                    trigger.continuation.yield($0)
                    try await server.run() as Void
                }
            }
            // It never answers the close frame, for which the server would wait for an hour.
            let client = try await Self.client(of: server, answers: false)
            if isShuttingDown {
                for await trigger in trigger.stream {
                    trigger.triggerGracefulShutdown()
                    break
                }
                #expect(try await client.awaitClose().code == 1001)
            }
            running.cancel()
            try await client.awaitEnd()
            try await running.value
        }

        @Test("Who shuts down before it runs does not listen at all")
        func shutdownBefore() async throws {
            try await testGracefulShutdown { trigger in
                trigger.triggerGracefulShutdown()
                let server = Self.server()
                try await JazzyService(server, on: [Self.address]).run()
                #expect(server.statistics == JazzyStatistics())
            }
        }

        @Test("A server that does not listen is an error with the way out")
        func notListening() async throws {
            let error = try await #require(throws: JazzyError.self) { try await JazzyService(Self.server()).run() }
            #expect(error.code == .invalidState)
            #expect(error.message.contains("call listen(on:) before the service group runs"))
            await #expect(throws: JazzyError.self) {
                try await JazzyService(Self.server(), on: [Self.address], code: 999).run()
            }
            await #expect(throws: JazzyError.self) { try await JazzyService(Self.server(), on: [.port(70_000)]).run() }
        }

        @Test("When the server is stopped, its service ends")
        func stopped() async throws {
            let server = Self.server()
            async let running: Void = JazzyService(server, on: [Self.address]).run()
            _ = try await Self.client(of: server)
            server.stop()
            try await running
        }

        @Test("No signal gets a handler of ours")
        func signals() async throws {
            let before = [SIGTERM, SIGINT].map(Self.handler)
            let server = Self.server()
            try await Self.withGroup([JazzyService(server, on: [Self.address])]) { group in
                _ = try await Self.client(of: server)
                #expect([SIGTERM, SIGINT].map(Self.handler) == before)
                await group.triggerGracefulShutdown()
            }
        }

        /// The address of a signal's handler.
        static func handler(of signal: CInt) -> UInt {
            var action = sigaction()
            sigaction(signal, nil, &action)
            return unsafeBitCast(action.__sigaction_handler, to: UInt.self)
        }

        #if JazzyMetrics
            @Test("Metrics are a service, too, and record the end of a server that is named after them")
            func metrics() async throws {
                let factory = TestMetrics()
                let server = Self.server()
                let metrics = JazzyServerMetrics(server, every: .seconds(3_600), factory: factory)
                try await Self.withGroup([metrics, JazzyService(server, on: [Self.address])]) { group in
                    let client = try await Self.client(of: server)
                    await group.triggerGracefulShutdown()
                    try await client.awaitClose()
                }
                #expect(try factory.expectCounter("jazzy_closes_total", [("code", "1001")]).totalValue == 1)
                #expect(try factory.expectCounter("jazzy_websockets_opened_total").totalValue == 1)
            }
        #endif
    }
#endif

#if JazzyLogging
    import InMemoryLogging
    import JazzyLogging
    import JazzySwift
    import JazzyTesting
    import Logging
    import Testing

    @Suite("The log of a server, in swift-log")
    struct LoggingTests {
        struct Mishap: Error {}

        static func server(_ handler: InMemoryLogHandler, level: Logger.Level, own: JazzyLogLevel? = nil) -> JazzyServer
        {
            var logger = Logger(label: "tests") { _ in handler }
            logger.logLevel = level
            logger[metadataKey: "app"] = "chat"
            var options = JazzyOptions()
            options.threads = 1
            if let own { options.logLevel = own }
            options.log(to: logger)
            let server = JazzyServer(options: options)
            server.ws("/rooms/:id") { ws, event, message in
                guard event == .message, message.kind == .text else { return }
                if message.text == "throw" { throw Mishap() }
                ws.log(.info, message.text)
            }
            return server
        }

        /// Has a client for each kind of line, and returns the entries, without where the server listens, and the
        /// addresses of the clients.
        static func entries(
            level: Logger.Level, own: JazzyLogLevel? = nil
        ) async throws -> (entries: [InMemoryLogHandler.Entry], addresses: [String]) {
            let handler = InMemoryLogHandler()
            let server = server(handler, level: level, own: own)
            try server.start(host: "127.0.0.1", port: 0)
            #expect(try await JazzyTestClient.response(of: server, "/nowhere").status == 404)
            let refused = try await JazzyTestClient.response(
                of: server, "/rooms/1", headers: ["Origin": "https://elsewhere.example"])
            #expect(refused.status == 403)
            let unmasked = try await JazzyTestClient(server, "/rooms/2")
            try await unmasked.send(raw: [0x81, 0x01, 0x41])
            #expect(try await unmasked.awaitClose().code == 1002)
            let client = try await JazzyTestClient(server, "/rooms/3")
            try await client.send("hello")
            try await client.send("throw")
            #expect(try await client.awaitClose().code == 1011)
            await server.stopAndWait(grace: .seconds(10))
            let entries = handler.entries.filter { !$0.message.description.hasPrefix("listens on ") }
            #expect(entries.count + 1 == handler.entries.count, "where it listens is told at info")
            return (entries, [unmasked.localAddress, client.localAddress])
        }

        @Test("Lines have what they are about as metadata, and peers' faults the level debug")
        func metadata() async throws {
            let (entries, addresses) = try await Self.entries(level: .debug)
            try #require(entries.count == 5)
            #expect(entries.map(\.level) == [.debug, .warning, .debug, .info, .error])
            #expect(
                entries.map(\.message.description).enumerated().allSatisfy { $0 == 1 || !$1.contains("127.0.0.1") })
            #expect(entries[0].message == "refused: there is no route with this path")
            #expect(entries[0].metadata["jazzy.cause"] == "not_found")
            #expect(entries[0].metadata["jazzy.route"] == nil)
            #expect(entries[1].metadata["jazzy.origin"] == "https://elsewhere.example")
            #expect(entries[1].metadata["jazzy.route"] == "/rooms/:id")
            #expect(entries[1].metadata["jazzy.cause"] == "origin")
            #expect(
                entries[2].metadata == [
                    "app": "chat", "jazzy.address": .string(addresses[0]), "jazzy.route": "/rooms/:id",
                    "jazzy.cause": "not_masked",
                ])
            #expect(entries[3].message == "hello")
            #expect(
                entries[3].metadata == [
                    "app": "chat", "jazzy.address": .string(addresses[1]), "jazzy.route": "/rooms/:id",
                ])
            #expect(entries[4].message == "the handler of /rooms/:id threw Mishap")
            #expect(entries[4].metadata["jazzy.cause"] == "Mishap")
        }

        @Test("The logger's level hides peers' faults, and nothing else of theirs")
        func level() async throws {
            let (entries, _) = try await Self.entries(level: .info)
            #expect(entries.map(\.level) == [.warning, .info, .error])
        }

        @Test("The server's own level decides what the logger is given")
        func ownLevel() async throws {
            let handler = InMemoryLogHandler()
            let server = Self.server(handler, level: .trace, own: .error)
            try server.start(host: "127.0.0.1", port: 0)
            _ = try await JazzyTestClient.response(of: server, "/nowhere")
            await server.stopAndWait(grace: .seconds(10))
            #expect(handler.entries.isEmpty)
        }
    }
#endif

import Foundation
import JazzySwift
import Testing

@Suite("Servers that are awaited")
struct AwaitedRunTests {
    static let options = {
        var options = JazzyOptions.patient
        options.threads = 1
        options.receiveBufferSize = 4_096
        return options
    }()

    static func server(options: JazzyOptions = options) -> JazzyServer {
        let server = JazzyServer(options: options)
        server.ws("/") { ws, event, message in
            if event == .message, message.kind == .text { ws.send(message.text) }
        }
        return server
    }

    /// Suspends, and does not block, until the server listens.
    static func port(of server: JazzyServer) async throws -> Int {
        try await awaitEventually("it listens") { server.port > 0 }
        return server.port
    }

    /// Runs work that blocks on a thread of its own.
    static func blocking<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread { continuation.resume(with: Swift.Result { try work() }) }
        }
    }

    static func expectEcho(port: Int) async throws {
        let text = try await blocking {
            let client = try TestClient(port: port, path: "/")
            try client.send("echo")
            return try client.receiveText()
        }
        #expect(text == "echo")
    }

    @Test("However many are awaited, they block no thread that runs tasks")
    func blocksNothing() async throws {
        let servers = (1...ProcessInfo.processInfo.activeProcessorCount + 2).map { _ in Self.server() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for server in servers { group.addTask { try await server.run(host: "127.0.0.1", port: 0) } }
            for server in servers { try await Self.expectEcho(port: try await Self.port(of: server)) }
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(servers.allSatisfy { $0.port == 0 })
    }

    @Test("The main actor goes on while it awaits one: an upgrade hook may use it, and other tasks")
    @MainActor
    func mainActor() async throws {
        var letIn = 0
        let server = JazzyServer(options: Self.options)
        server.ws(
            "/",
            upgrade: { @MainActor _ in
                letIn += 1
                return .accept()
            }
        ) { ws, event, _ in if event == .open { ws.send("welcome") } }
        let running = Task { try await server.run(host: "127.0.0.1", port: 0) }
        let port = try await Self.port(of: server)
        let welcome = try await Self.blocking { try TestClient(port: port, path: "/").receiveText() }
        #expect(welcome == "welcome")
        #expect(letIn == 1)
        running.cancel()
        try await running.value
    }

    @Test("Cancellation stops it in order, which is no error", arguments: [nil, Duration.seconds(3_600)])
    func cancellation(grace: Duration?) async throws {
        let server = Self.server()
        let running = Task { try await server.run(on: [.port(0, host: "127.0.0.1")], grace: grace) }
        let port = try await Self.port(of: server)
        let code = try await Self.blocking {
            let client = try TestClient(port: port, path: "/")
            try client.send("echo")
            _ = try client.receiveText()
            running.cancel()
            return try client.receiveClose()
        }
        #expect(code == 1001)
        try await running.value
        #expect(server.port == 0)
    }

    @Test("When the grace of a cancellation is over, who does not answer is cut off")
    func noGrace() async throws {
        var options = Self.options
        options.closeTimeout = .seconds(3_600)
        let server = Self.server(options: options)
        let running = Task { try await server.run(host: "127.0.0.1", port: 0, grace: .zero) }
        let port = try await Self.port(of: server)
        try await Self.blocking {
            let client = try TestClient(port: port, path: "/")
            running.cancel()
            while (try? client.receive()) != nil {}
        }
        try await running.value
    }

    @Test("Of a task that was cancelled before, it does not listen at all")
    func cancelledBefore() async throws {
        let server = Self.server()
        let gate = Gate()
        // It would throw if it listened.
        let running = Task {
            await gate.pass()
            try await server.run(on: [.port(70_000)])
            try await server.run(port: 70_000)
        }
        running.cancel()
        gate.open()
        try await running.value
        #expect(server.port == 0)
    }

    @Test("Of a task that was cancelled before, a server that listens stops listening, and can be run again")
    func cancelledWhileItListens() async throws {
        let server = Self.server()
        try server.listen(host: "127.0.0.1")
        let port = server.port
        let gate = Gate()
        let running = Task {
            await gate.pass()
            try await server.runUntilCancelled()
        }
        running.cancel()
        gate.open()
        try await running.value
        #expect(server.port == 0)
        #expect(throws: TestFailure.self, "nobody listens") { try TestSocket(port: port) }
        try server.start(host: "127.0.0.1")
        try await Self.expectEcho(port: server.port)
        await server.stopAndWait(grace: .zero)
    }

    @Test("Cancelled at any moment, it ends, and a later run of the same server goes on")
    func cancelledAtAnyMoment() async throws {
        let server = Self.server()
        for round in 0..<300 {
            let running = Task { try await server.run(host: "127.0.0.1", port: 0) }
            for _ in 0..<(round % 30) { await Task.yield() }
            async let other: Void = cancel(running)
            running.cancel()
            try await running.value
            await other
            try #require(server.port == 0, "round \(round)")
        }
        try server.start(host: "127.0.0.1")
        try await Self.expectEcho(port: server.port)
        await server.stopAndWait(grace: .zero)

        @Sendable func cancel(_ running: Task<Void, any Error>) async { running.cancel() }
    }

    @Test("Who stops it ends it, and who awaits its end goes on", arguments: [true, false])
    func stopped(listensBefore: Bool) async throws {
        let server = Self.server()
        if listensBefore { try server.listen(host: "127.0.0.1") }
        let running = Task {
            if listensBefore {
                try await server.runUntilCancelled(grace: .zero)
            } else {
                try await server.run(host: "127.0.0.1", port: 0)
            }
        }
        try await Self.expectEcho(port: try await Self.port(of: server))
        server.stop()
        await server.waitForEnd()
        #expect(server.port == 0)
        try await running.value
        await server.waitForEnd()
    }

    @Test("It throws what the function that blocks would throw")
    func errors() async throws {
        func code(_ run: () async throws(JazzyError) -> Void) async -> JazzyError.Code? {
            do throws(JazzyError) {
                try await run()
                return nil
            } catch { return error.code }
        }
        let server = Self.server()
        #expect(await code { () throws(JazzyError) in try await server.runUntilCancelled() } == .invalidState)
        #expect(await code { () throws(JazzyError) in try await server.run(port: 70_000) } == .invalidAddress)
        #expect(await code { () throws(JazzyError) in try await server.run(on: []) } != nil)
        for stackSize in [5, 2 << 30] {
            var options = Self.options
            options.threadStackSize = stackSize
            let odd = Self.server(options: options)
            #expect(await code { () throws(JazzyError) in try await odd.run(port: 0) } == .invalidOption)
        }
        let running = Task { try await server.run(host: "127.0.0.1", port: 0) }
        let port = try await Self.port(of: server)
        #expect(await code { () throws(JazzyError) in try await server.run(port: 0) } == .invalidState)
        let other = Self.server()
        let inUse = await code { () throws(JazzyError) in try await other.run(host: "127.0.0.1", port: port) }
        #expect(inUse == .addressInUse)
        try await Self.expectEcho(port: port)
        running.cancel()
        try await running.value
    }

    @Test("Signals stop the default application, and another server if it says so", arguments: [SIGINT, SIGTERM])
    func signals(signal: Int32) async {
        await #expect(processExitsWith: .success) { [signal = signal as Int32] in
            Route.ws("/") { ws, event, message in if event == .message { ws.send(message.text) } }
            let server = Self.server()
            for stopped in [Jazzy.server, server] {
                let running = Task {
                    if stopped === Jazzy.server {
                        try await Jazzy.run(host: "127.0.0.1", port: 0)
                    } else {
                        try await stopped.run(host: "127.0.0.1", port: 0, untilSignal: true)
                    }
                }
                // Who is served knows that the signals are taken.
                try await Self.expectEcho(port: try await Self.port(of: stopped))
                kill(getpid(), signal)
                try await running.value
            }
        }
    }

    @Test("Handlers have the stack that the options say, although a thread was made for the run")
    func stack() async throws {
        var options = Self.options
        options.threadStackSize = 64 << 20
        let server = JazzyServer(options: options)
        server.ws("/") { ws, event, _ in if event == .open { ws.send("\(fillStack(bytes: 32 << 20))") } }
        let running = Task { try await server.run(host: "127.0.0.1", port: 0) }
        let port = try await Self.port(of: server)
        let filled = try await Self.blocking { try TestClient(port: port, path: "/").receiveText() }
        #expect(filled == "\(32 << 20)")
        running.cancel()
        try await running.value
    }
}

private func fillStack(bytes: Int) -> Int {
    withUnsafeTemporaryAllocation(byteCount: 512, alignment: 16) { block in
        block[0] = 1
        return bytes <= 1_024 ? bytes : 1_024 + fillStack(bytes: bytes - 1_024)
    }
}

import CJazzyPoll.Broker
import JazzySwift
import JazzyTesting
import Synchronization
import Testing

@Suite("Brokers", .ownThreads)
struct BrokerTests {
    /// Texts are published to the topic "news", which everybody subscribes to, and "+topic" subscribes to another.
    static func server(_ broker: JazzyBroker?, log: Recorder<String>? = nil) -> JazzyServer {
        var options = JazzyOptions()
        options.threads = 2
        options.broker = broker
        if let log { options.log = { level, line in log.record("\(level): \(line)") } }
        let server = JazzyServer(options: options)
        server.ws("/") { ws, event, message in
            if event == .open {
                ws.subscribe("news")
                ws.send("hello")
            }
            guard event == .message, message.kind == .text else { return }
            let text = message.text
            if text.hasPrefix("+") {
                ws.subscribe(String(text.dropFirst()))
                ws.send("subscribed")
            } else {
                let status = ws.publish("news", text)
                if text.hasPrefix("?") { ws.send("\(status)") }
            }
        }
        return server
    }

    static func client(_ server: JazzyServer) throws -> TestClient {
        let client = try TestClient(port: server.port, path: "/")
        #expect(try client.receiveText() == "hello")
        return client
    }

    @Test(
        "A message reaches the subscribers of all servers, but not its publisher",
        arguments: [
            JazzyBrokerOrdering.localFirst, .ordered,
        ])
    func everywhere(ordering: JazzyBrokerOrdering) throws {
        let board = Switchboard(ordering)
        let servers = (0..<3).map { _ in Self.server(.switchboard(board)) }
        for server in servers { try server.start(host: "127.0.0.1", port: 0) }
        defer { for server in servers { server.stop(); server.wait() } }
        let clients = try (0..<6).map { number in try Self.client(servers[number % 3]) }
        for (sender, client) in clients.enumerated() {
            try client.send("from \(sender)")
            for (number, other) in clients.enumerated() where number != sender {
                #expect(try other.receiveText() == "from \(sender)")
            }
        }
        servers[0].publish("news", "from the server")
        for client in clients { #expect(try client.receiveText() == "from the server") }
        let statistics = servers.map(\.statistics.broker)
        #expect(statistics.map(\.published) == [3, 2, 2])
        #expect(statistics.map(\.delivered) == (ordering == .ordered ? [7, 7, 7] : [4, 5, 5]))
    }

    @Test("With one order, all receivers of all servers hear the same, however many publish at once")
    func order() throws {
        let (board, count) = (Switchboard(.ordered), 200)
        let servers = (0..<2).map { _ in Self.server(.switchboard(board)) }
        for server in servers { try server.start(host: "127.0.0.1", port: 0) }
        defer { for server in servers { server.stop(); server.wait() } }
        let clients = try (0..<4).map { number in try Self.client(servers[number % 2]) }
        let threads = servers.enumerated().map { number, server in
            BackgroundThread {
                for message in 0..<count { server.publish("news", "\(number) \(message)") }
            }
        }
        for thread in threads { try thread.wait() }
        let heard = try clients.map { client in try (0..<2 * count).map { _ in try client.receiveText() } }
        #expect(heard.dropFirst().allSatisfy { $0 == heard[0] })
        for number in 0..<2 {
            #expect(heard[0].filter { $0.hasPrefix("\(number) ") } == (0..<count).map { "\(number) \($0)" })
        }
    }

    @Test("The broker is told the topics that have subscribers, and all of them when it was lost and found")
    func topics() throws {
        let (board, log) = (Switchboard(), Recorder<String>())
        let server = Self.server(.switchboard(board), log: log)
        #expect(!server.isLive("news"), "it does not listen")
        try server.start(host: "127.0.0.1", port: 0)
        let line = try #require(board.lines.first)
        #expect(!server.isLive("news"), "nobody has subscribed")
        let client = try Self.client(server)
        #expect(server.isLive("news"))
        try client.send("+sport")
        #expect(try client.receiveText() == "subscribed")
        #expect(line.topics.withLock { $0 } == ["news", "sport"])
        #expect(server.statistics.broker.topics == 2)
        line.server.setJoined(false)
        #expect(!server.isLive("news"))
        #expect((server.statistics.broker.isJoined, server.statistics.broker.losses) == (false, 1))
        line.topics.withLock { $0 = [] }
        line.server.setJoined(true)
        #expect(line.topics.withLock { $0 } == ["news", "sport"])
        #expect(server.statistics.broker.isJoined)
        #expect(line.server.handle.subscriberCount("news") == 1)
        #expect(line.server.handle.port == server.port)
        let lines = log.values.filter { $0.contains("the broker is ") }
        #expect(lines.count == 2 && lines[0].hasPrefix("warning: the broker is not connected"))
        server.stop()
        #expect(try client.receiveClose() == 1001)
        server.wait()
        #expect(line.topics.withLock { $0 } == [])
        #expect(board.lines.isEmpty, "it was stopped")
        #expect(line.server.deliver("news", "late".utf8Span.span.bytes, kind: .text) == .closed)
        line.server.setJoined(false)
        #expect(line.server.handle.port == 0)
    }

    @Test("What the broker refuses is dropped for the others, and with one order for all")
    func refused() throws {
        for ordering in [JazzyBrokerOrdering.localFirst, .ordered] {
            let board = Switchboard(ordering)
            let server = Self.server(.switchboard(board))
            try server.start(host: "127.0.0.1", port: 0)
            defer { server.stop(); server.wait() }
            let (sender, receiver) = (try Self.client(server), try Self.client(server))
            let line = try #require(board.lines.first)
            line.refuses.withLock { $0 = true }
            try sender.send("?1")
            #expect(try sender.receiveText() == "dropped")
            line.refuses.withLock { $0 = false }
            try sender.send("?2")
            #expect(try sender.receiveText() == "sent")
            if ordering == .localFirst { #expect(try receiver.receiveText() == "?1") }
            #expect(try receiver.receiveText() == "?2")
            #expect(server.statistics.broker.refused == 1)
        }
    }

    @Test("What the broker reports is in the statistics, and its counts go on over restarts")
    func report() throws {
        let board = Switchboard()
        let server = Self.server(.switchboard(board))
        var report = JazzyBrokerReport()
        (report.isUp, report.reconnects, report.gaps, report.received, report.echoes) = (true, 1, 2, 3, 4)
        (report.duplicates, report.unreadable, report.dropped) = (5, 6, 7)
        (report.queuedBytes, report.queuedMessages, report.lag) = (8, 9, .microseconds(10))
        report.refusedTopics = 11
        for run in 1...2 {
            try server.start(host: "127.0.0.1", port: 0)
            try #require(board.lines.first).chosenReport.withLock { $0 = report }
            let broker = server.statistics.broker
            #expect(broker.isUp && broker.isJoined)
            #expect((broker.reconnects, broker.gaps, broker.received, broker.echoes) == (1, 2, 3, 4))
            #expect((broker.duplicates, broker.unreadable, broker.dropped) == (5, 6, 7))
            #expect((broker.queuedBytes, broker.queuedMessages, broker.lag) == (8, 9, .microseconds(10)))
            #expect(broker.refusedTopics == 11)
            server.stop()
            server.wait()
            let lifetime = server.lifetimeStatistics.broker
            #expect((lifetime.gaps, lifetime.dropped) == (2 * run, 7 * run))
            #expect(!lifetime.isUp && lifetime.queuedBytes == 0)
        }
    }

    struct Unreachable: Error {}

    @Test("A broker that cannot connect keeps its server from running, and says why; the next time it may")
    func failing() throws {
        let failures = Mutex<[any Error]>([
            JazzyError(.permissionDenied, "the board knows nobody of this name"), Unreachable(),
            JazzyError(.system, String(repeating: "ö", count: 1_000)),
        ])
        let board = Switchboard()
        let server = Self.server(
            JazzyBroker { server in
                if let failure = failures.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { throw failure }
                return board.connect(server)
            })
        #expect(throws: JazzyError(.permissionDenied, "the board knows nobody of this name")) {
            try server.start(host: "127.0.0.1", port: 0)
        }
        #expect(throws: JazzyError(.system, "the broker could not be connected: Unreachable()")) {
            try server.start(host: "127.0.0.1", port: 0)
        }
        let error = #expect(throws: JazzyError.self) { try server.start(host: "127.0.0.1", port: 0) }
        #expect(error?.message.allSatisfy { $0 == "ö" } == true, "cut between two characters")
        try server.start(host: "127.0.0.1", port: 0)
        #expect(board.lines.count == 1)
        server.stop()
        server.wait()
    }

    @Test("Servers are joined and leave while others publish")
    func leaving() throws {
        let board = Switchboard()
        let steady = Self.server(.switchboard(board))
        try steady.start(host: "127.0.0.1", port: 0)
        let client = try Self.client(steady)
        let isOver = Mutex(false)
        let publishing = BackgroundThread {
            while !isOver.withLock({ $0 }) { steady.publish("other", "x") }
        }
        for round in 0..<20 {
            let server = Self.server(.switchboard(board))
            try server.start(host: "127.0.0.1", port: 0)
            let guest = try Self.client(server)
            try guest.send("+other")
            while try guest.receiveText() != "subscribed" {}
            try guest.send("round \(round)")
            #expect(try client.receiveText() == "round \(round)")
            server.stop(grace: .zero)
        }
        isOver.withLock { $0 = true }
        try publishing.wait()
        #expect(board.lines.count == 1)
        steady.stop(grace: .zero)
    }

    @Test("A broker of C functions lives as long as its server, and is made anew for each run")
    func functions() throws {
        final class Owner: Sendable {
            let events: Recorder<String>
            init(_ events: Recorder<String>) { self.events = events }
            deinit { events.record("freed") }
        }
        let events = Recorder<String>()
        let server = Self.server(
            JazzyBroker(makeFunctions: { options, _ in
                #expect(options.threads == 2)
                let owner = Owner(events)
                var functions = jz_broker()
                functions.context = Unmanaged.passUnretained(owner).toOpaque()
                functions.start = { context, _, _ in
                    context.map { Unmanaged<Owner>.fromOpaque($0).takeUnretainedValue().events.record("start") }
                    return JZ_OK
                }
                functions.stop = { context in
                    context.map { Unmanaged<Owner>.fromOpaque($0).takeUnretainedValue().events.record("stop") }
                }
                functions.subscribe = { _, _, _ in }
                functions.unsubscribe = { _, _, _ in }
                functions.publish = { _, _, _, _, _, _ in JZ_SEND_SENT }
                return (functions, owner)
            }))
        for run in 1...2 {
            try server.start(host: "127.0.0.1", port: 0)
            #expect(server.publish("news", "x") == .sent)
            server.stop()
            server.wait()
            #expect(events.values == Array(repeating: ["start", "stop", "freed"], count: run).flatMap(\.self))
        }
    }

    @Test("What is wrong with a broker of C functions is thrown when the server listens")
    func wrongFunctions() throws {
        let refusing = Self.server(
            JazzyBroker(makeFunctions: { _, _ throws(JazzyError) in throw JazzyError(.invalidOption, "no such place") })
        )
        #expect(throws: JazzyError(.invalidOption, "no such place")) { try refusing.listen(host: "127.0.0.1") }
        let empty = Self.server(JazzyBroker(makeFunctions: { _, _ in (jz_broker(), Switchboard()) }))
        let error = #expect(throws: JazzyError.self) { try empty.listen(host: "127.0.0.1") }
        #expect(error?.code == .invalidOption)
        #expect(error?.message.hasPrefix("cannot join: the broker's start is NULL") == true)
    }

    @Test("A server in memory has no broker, so that handlers are tested without one")
    func probe() async throws {
        let board = Switchboard()
        let probe = JazzyProbe(Self.server(.switchboard(board)), "/")
        try await probe.open()
        #expect(probe.sent == ["hello"])
        #expect(board.lines.isEmpty)
    }

    @Test("Without a broker every topic is live as long as the server listens")
    func none() throws {
        let server = Self.server(nil)
        #expect(!server.isLive("news"))
        try server.listen(host: "127.0.0.1")
        #expect(server.isLive("news"))
        server.stop()
        server.wait()
        #expect(!server.isLive("news"))
    }
}

import JazzyRedis
import JazzySwift
import JazzyTesting
import Testing

@Suite("Servers that Redis joins", .enabled(if: RedisServer.isInstalled, "there is no redis-server"))
struct JazzyRedisTests {
    @Test(
        "A message reaches the subscribers of all servers once, but not its publisher",
        arguments: [
            JazzyBrokerOrdering.localFirst, .ordered,
        ])
    func everywhere(ordering: JazzyBrokerOrdering) async throws {
        let redis = try await RedisServer(hasPort: true)
        let servers = try (0..<2).map { _ in try Served(redis.url) { $0.ordering = ordering }.started() }
        var clients: [JazzyTestClient] = []
        for number in 0..<4 { clients.append(try await servers[number % 2].client()) }
        for (sender, client) in clients.enumerated() {
            try await client.send("from \(sender)")
            for (number, other) in clients.enumerated() where number != sender {
                #expect(try await other.message().text == "from \(sender)")
            }
        }
        servers[0].server.publish("news", [0, 255, 1], kind: .binary)
        for client in clients {
            #expect(try await client.message().bytes.withUnsafeBytes { Array($0) } == [0, 255, 1])
        }
        // What it published itself may come back when all clients have it, and is counted when it was handed to them.
        let delivered = ordering == .ordered ? 5 : 2
        try await eventually("all has come back") {
            let broker = servers[0].server.statistics.broker
            return broker.echoes == 3 && broker.delivered == delivered
        }
        let broker = servers[0].server.statistics.broker
        #expect(broker.isUp && broker.isJoined)
        #expect((broker.published, broker.refused, broker.gaps, broker.dropped) == (3, 0, 0, 0))
        #expect((broker.received, broker.echoes, broker.delivered) == (2, 3, delivered))
        #expect(servers.allSatisfy { $0.gaps.isEmpty })
        for server in servers { await server.stop() }
    }

    @Test("With one order, all receivers hear the same, however many publish at once")
    func order() async throws {
        let (redis, count) = (try await RedisServer(), 100)
        let servers = try (0..<2).map { _ in try Served(redis.url) { $0.ordering = .ordered }.started() }
        let clients = [try await servers[0].client(), try await servers[1].client()]
        await withTaskGroup { group in
            for (number, served) in servers.enumerated() {
                group.addTask { for message in 0..<count { served.server.publish("news", "\(number) \(message)") } }
            }
        }
        var heard: [[String]] = []
        for client in clients {
            var texts: [String] = []
            for _ in 0..<2 * count { texts.append(try await client.message().text) }
            heard.append(texts)
        }
        #expect(heard[0] == heard[1])
        for number in 0..<2 {
            #expect(heard[0].filter { $0.hasPrefix("\(number) ") } == (0..<count).map { "\(number) \($0)" })
        }
        for server in servers { await server.stop() }
    }

    @Test("What others publish to the channel arrives as a text, if it is one; prefixes keep applications apart")
    func others() async throws {
        let redis = try await RedisServer()
        let (one, other) = (
            try Served(redis.url) { $0.prefix = "one:" }.started(),
            try Served(redis.url) { $0.prefix = "other:" }.started()
        )
        let (client, stranger) = (try await one.client(), try await other.client())
        try redis.command("PUBLISH", "one:news", "hello from outside ☀")
        #expect(try await client.message().text == "hello from outside ☀")
        try redis.command("EVAL", "return redis.call('PUBLISH', 'one:news', '\\200')", "0")
        try await eventually("it is counted") { one.server.statistics.broker.unreadable == 1 }
        try redis.command("PUBLISH", "one:news", "after it")
        #expect(try await client.message().text == "after it")
        try redis.command("PUBLISH", "other:news", "for the other")
        #expect(try await stranger.message().text == "for the other")
        for server in [one, other] { await server.stop() }
    }

    @Test("When Redis was away, local subscribers have missed nothing, and gaps are told when topics are live again")
    func gap() async throws {
        let redis = try await RedisServer()
        let servers = try (0..<2).map { _ in try Served(redis.url).started() }
        let clients = [try await servers[0].client(), try await servers[0].client(), try await servers[1].client()]
        redis.kill()
        for served in servers {
            try await eventually("it is noticed") { !served.server.statistics.broker.isJoined }
            // One connection may be found lost before the other.
            try await eventually("nothing is live") { !served.server.isLive("news") }
        }
        try await clients[0].send("in between")
        #expect(try await clients[1].message().text == "in between")
        try await redis.restart()
        for served in servers {
            try await eventually("it is joined again") { served.server.isLive("news") }
            try await eventually("its gap is told") { served.gaps.contains { $0.hasPrefix("news ") } }
            #expect(served.server.statistics.broker.reconnects > 0)
            #expect(served.server.statistics.broker.losses == 1)
        }
        #expect(servers[0].gaps[0] == "news 2", "the closure has the server")
        try await clients[0].send("afterwards")
        #expect(try await clients[1].message().text == "afterwards")
        var texts = [try await clients[2].message().text]
        if texts[0] == "in between" { texts.append(try await clients[2].message().text) }
        #expect(texts.last == "afterwards", "what waited may arrive, too")
        for server in servers { await server.stop() }
    }

    @Test("Without Redis a server does not start, and says why; or it starts alone, and joins the others later")
    func away() async throws {
        let redis = try await RedisServer()
        redis.kill()
        let error = #expect(throws: JazzyError.self) { _ = try Served(redis.url).started() }
        #expect(error?.code == .system)
        #expect(error?.message.contains(redis.path) == true, "\(error?.message ?? "")")
        let alone = try Served(redis.url) { $0.startsAlone = true }.started()
        #expect(!alone.server.statistics.broker.isJoined)
        let client = try await JazzyTestClient(alone.server, "/")
        #expect(try await client.message().text == "hello")
        #expect(alone.server.publish("news", "alone") == .sent)
        #expect(try await client.message().text == "alone")
        try await redis.restart()
        let other = try Served(redis.url).started()
        let stranger = try await other.client()
        try await eventually("it has joined") { alone.server.isLive("news") }
        try await stranger.send("hello")
        #expect(try await client.message().text == "hello")
        for server in [alone, other] { await server.stop() }
    }

    @Test("A password is used, and never shown")
    func password() async throws {
        let redis = try await RedisServer(password: "open sesame".replacing(" ", with: "-"), hasPort: true)
        let served = try Served(redis.url).started()
        #expect(served.server.statistics.broker.isUp)
        await served.stop()
        let wrong = Served("redis://:guessed@127.0.0.1:\(redis.port)")
        let error = #expect(throws: JazzyError.self) { _ = try wrong.started() }
        let told = [error?.message ?? "", "\(wrong.log)", "\(JazzyRedisOptions(redis.url))"]
        #expect(told[0].contains("WRONGPASS") || told[0].contains("password"), "\(told[0])")
        #expect(told.allSatisfy { !$0.contains("guessed") && !$0.contains("sesame") })
        var dumped = ""
        dump(JazzyRedisOptions(redis.url), to: &dumped)
        #expect(!dumped.contains("sesame"))
    }

    @Test("A server may be started again, and its options used for others")
    func again() async throws {
        let redis = try await RedisServer()
        let served = Served(redis.url)
        for run in 1...2 {
            _ = try served.started()
            let client = try await served.client()
            served.server.publish("news", "run \(run)")
            #expect(try await client.message().text == "run \(run)")
            #expect(served.server.statistics.broker.published == 1)
            await served.stop()
        }
        try await eventually("nobody is connected") {
            try redis.command("CLIENT", "LIST").split(separator: "\n").count == 1
        }
    }
}

import JazzyRedis
import JazzySwift
import JazzyTesting
import Testing

@Suite("Histories that Redis keeps", .enabled(if: RedisServer.isInstalled, "there is no redis-server"))
struct HistoryTests {
    /// Of a resumable route of the topic "feed".
    private static func started(_ redis: RedisServer) throws -> Served {
        let served = Served(redis.url)
        served.server.history("feed", keep: 100, for: .seconds(60))
        served.server.resumable("/feed", topic: "feed")
        served.server.ws("/pending") { ws, event, _ in
            guard event == .open else { return }
            let begun = ws.subscribe("feed", since: ws.request?.queryValue("since").flatMap(JazzyPosition.init))
            ws.send(begun.isPending ? "pending" : "at once")
        }
        return try served.started()
    }

    private static func client(of served: Served, since position: String? = nil) async throws -> JazzyTestClient {
        let query = position.map { "?since=\($0)" } ?? ""
        return try await JazzyTestClient(
            port: served.server.port, "/feed" + query, headers: ["Sec-WebSocket-Protocol": "jazzy.resume.1"])
    }

    /// The epoch of the first frame, which must have the rest.
    private static func epoch(of frame: String, offset: Int, recovered: Bool, count: Int) throws -> String {
        let epoch = String(frame.dropFirst(10).prefix(16))
        #expect(frame == #"{"epoch":"\#(epoch)","offset":\#(offset),"recovered":\#(recovered),"count":\#(count)}"#)
        return epoch
    }

    @Test("A client continues on another server, and on any that was started later")
    func elsewhere() async throws {
        let redis = try await RedisServer()
        let servers = try (0..<2).map { _ in try Self.started(redis) }
        let first = try await Self.client(of: servers[0])
        let epoch = try Self.epoch(of: try await first.message().text, offset: 0, recovered: false, count: 0)
        #expect(servers[1].server.publish("feed", "one") != .dropped)
        #expect(try await first.message().text == "one")
        servers[1].server.publish("feed", "two")
        servers[1].server.publish("feed", [3], kind: .binary)
        // A server that still knows the topic sends what is on its way to it only behind the beginning.
        for _ in 0..<2 { _ = try await first.message() }
        _ = try await first.close()
        let late = try Self.started(redis)
        for served in [servers[1], servers[0], late] {
            let client = try await Self.client(of: served, since: "\(epoch):1")
            let told = try Self.epoch(of: try await client.message().text, offset: 1, recovered: true, count: 2)
            #expect(told == epoch)
            #expect(try await client.message().text == "two")
            #expect(try await client.message().bytes.withUnsafeBytes { Array($0) } == [3])
        }
        for served in servers + [late] { await served.stop() }
    }

    @Test("After a new start of Redis a client has not recovered")
    func restarted() async throws {
        let redis = try await RedisServer()
        let served = try Self.started(redis)
        let client = try await Self.client(of: served)
        let epoch = try Self.epoch(of: try await client.message().text, offset: 0, recovered: false, count: 0)
        served.server.publish("feed", "one")
        #expect(try await client.message().text == "one")
        // What Redis has not answered is sent to the next one again.
        try await eventually("Redis has answered") { served.server.statistics.broker.queuedMessages == 0 }
        redis.kill()
        try await redis.restart()
        #expect(try await client.awaitClose().code == 4010)
        try await eventually("it is joined again") { served.server.statistics.broker.isUp }
        let again = try await Self.client(of: served, since: "\(epoch):1")
        let other = try Self.epoch(of: try await again.message().text, offset: 0, recovered: false, count: 0)
        #expect(other != epoch)
        await served.stop()
    }

    @Test("Who has to wait for Redis is pending, and who comes after is not")
    func pending() async throws {
        let redis = try await RedisServer()
        let served = try Self.started(redis)
        let first = try await JazzyTestClient(served.server, "/pending")
        #expect(try await first.message().text == "pending")
        served.server.publish("feed", "one")
        #expect(try await first.message().text == "one")
        let second = try await JazzyTestClient(served.server, "/pending")
        #expect(try await second.message().text == "at once")
        let recent = served.server.recent("feed", 10)
        #expect(recent.messages.map(\.text) == ["one"])
        #expect(recent.position.offset == 1)
        await served.stop()
    }
}

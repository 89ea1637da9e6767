import JazzyRedis
import JazzySwift
import JazzyTesting
import Synchronization
import Testing

@Suite("Members on several servers", .enabled(if: RedisServer.isInstalled, "there is no redis-server"))
struct MemberTests {
    /// Who connects to `/room?key=…&info=…` is a member of "room". While a Redis is away, another test's may get its port:
    /// so the channels of each have a prefix of their own.
    private static func started(_ redis: RedisServer, _ told: Told? = nil) throws -> Served {
        let served = Served(redis.url) { $0.prefix = "\(ObjectIdentifier(redis)):" }
        served.server.ws("/room") { ws, event, _ in
            guard event == .open, let request = ws.request else { return }
            let member = JazzyMember(key: request.queryValue("key") ?? "", info: request.queryValue("info") ?? "")
            try ws.subscribe("room", as: member)
            ws.send("welcome")
        }
        if let told { served.server.onPresence("room") { joined, left in told.add(joined, left) } }
        return try served.started()
    }

    private static func join(_ served: Served, _ key: String, _ info: String) async throws -> JazzyTestClient {
        let client = try await JazzyTestClient(port: served.server.port, "/room?key=\(key)&info=\(info)")
        #expect(try await client.message().text == "welcome")
        return client
    }

    private static func members(_ served: Served) -> [String: String] {
        Dictionary(uniqueKeysWithValues: served.server.members(of: "room").map { ($0.key, $0.text) })
    }

    @Test("Members are those of all servers, of which a key is one, and leave when their server stops")
    func everywhere() async throws {
        let (redis, told) = (try await RedisServer(), Told())
        let near = try Self.started(redis)
        let far = try Self.started(redis, told)
        let ada = try await Self.join(near, "ada", "1")
        let grace = try await Self.join(far, "grace", "2")
        let again = try await Self.join(far, "ada", "1")
        for served in [near, far] {
            try await eventually("all are there") { Self.members(served) == ["ada": "1", "grace": "2"] }
            #expect(served.server.memberCount(of: "room") == 2)
        }
        try await eventually("the statistics say so") {
            let presence = [near, far].map(\.server.statistics.presence)
            return presence.map(\.membersElsewhere) == [2, 1] && presence.map(\.servers) == [1, 1]
                && presence.map(\.members) == [2, 2] && presence.map(\.notKept) == [0, 0]
                && presence.map(\.malformed) == [0, 0] && presence.map(\.topics) == [1, 1]
        }
        try await eventually("it is told") { told.now == ["ada": "1", "grace": "2"] }
        _ = try await again.close()
        try await eventually("who is elsewhere stays") { Self.members(far) == ["ada": "1", "grace": "2"] }
        _ = try await ada.close()
        try await eventually("who has left is gone") { Self.members(far) == ["grace": "2"] }
        let alan = try await Self.join(near, "alan", "3")
        try await eventually("it is told") { told.now == ["grace": "2", "alan": "3"] }
        await near.stop()
        try await eventually("those of a server that has stopped are gone") { told.now == ["grace": "2"] }
        #expect(try await alan.awaitClose().code == 1001)
        _ = try await grace.close()
        await far.stop()
        #expect(told.now.isEmpty)
    }

    @Test("After a new start of Redis members are known again, and nobody has left")
    func restarted() async throws {
        let (redis, told) = (try await RedisServer(), Told())
        let near = try Self.started(redis)
        let far = try Self.started(redis, told)
        let ada = try await Self.join(near, "ada", "1")
        try await eventually("it is told") { told.now == ["ada": "1"] }
        redis.kill()
        let grace = try await Self.join(near, "grace", "2")
        try await redis.restart()
        try await eventually("it is told") { told.now == ["ada": "1", "grace": "2"] }
        #expect(told.left.isEmpty)
        for client in [ada, grace] { _ = try await client.close() }
        for served in [near, far] { await served.stop() }
    }

    @Test("Gaps of what servers tell each other are not the application's")
    func gaps() async throws {
        let redis = try await RedisServer()
        let (near, far) = (try Self.started(redis), try Self.started(redis))
        let ada = try await Self.join(near, "ada", "1")
        try await eventually("all are there") { Self.members(far) == ["ada": "1"] }
        let reader = try await far.client()
        for served in [near, far] {
            try await eventually("it is joined") { served.server.statistics.broker.isUp }
        }
        try redis.command("CLIENT", "KILL", "TYPE", "pubsub")
        try await eventually("the gap of the topic is told") { far.gaps.contains { $0.hasPrefix("news ") } }
        try await eventually("all are there") { Self.members(far) == ["ada": "1"] }
        for served in [near, far] {
            #expect(served.gaps.allSatisfy { $0.hasPrefix("news ") || $0.hasPrefix("room ") })
        }
        for client in [ada, reader] { _ = try await client.close() }
        for served in [near, far] { await served.stop() }
    }
}

/// What was told of a topic, added up.
private final class Told: Sendable {
    private let state = Mutex<(now: [String: String], left: [String])>(([:], []))

    var now: [String: String] { state.withLock { $0.now } }
    var left: [String] { state.withLock { $0.left } }

    func add(_ joined: [JazzyMember], _ left: [JazzyMember]) {
        state.withLock { state in
            for member in joined { state.now[member.key] = member.text }
            for member in left { state.now[member.key] = nil }
            state.left += left.map(\.key)
        }
    }
}

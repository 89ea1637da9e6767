import Foundation
import JazzyRedis
import JazzySwift
import JazzyTesting
import Testing

@Suite("The dashboard of a server that Redis joins", .enabled(if: RedisServer.isInstalled, "there is no redis-server"))
struct RedisDashboardTests {
    private struct Sample: Decodable {
        struct Broker: Decodable {
            let isJoined, isUp: Bool
            let topics, published, delivered, received, echoes, losses, refusedTopics, lagNs: Int
        }
        let broker: Broker
    }

    /// The samples until one is as wanted.
    private func sample(from viewer: JazzyTestClient, where isWanted: (Sample.Broker) -> Bool) async throws
        -> Sample.Broker
    {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        while true {
            let text = try await viewer.message().text
            let broker = try decoder.decode(Sample.self, from: Data(text.utf8)).broker
            if isWanted(broker) { return broker }
        }
    }

    @Test(
        "It shows what went to Redis and came from there, that Redis is gone, and that it is back",
        .timeLimit(.minutes(1)))
    func broker() async throws {
        let redis = try await RedisServer()
        let (served, other) = (Served(redis.url), try Served(redis.url).started())
        served.server.dashboard("/jazzy")
        _ = try served.started()
        let client = try await served.client()
        let stranger = try await other.client()
        let viewer = try await JazzyTestClient(served.server, "/jazzy")
        for number in 0..<3 { try await client.send("mine \(number)") }
        for _ in 0..<3 { _ = try await stranger.message() }
        for number in 0..<5 { try await stranger.send("theirs \(number)") }
        for _ in 0..<5 { _ = try await client.message() }

        // How long a message takes is known when the first probe is back.
        let seen = try await sample(from: viewer) { $0.delivered == 5 && $0.echoes == 3 && $0.lagNs > 0 }
        #expect(seen.isJoined && seen.isUp)
        #expect((seen.topics, seen.published, seen.received, seen.losses) == (1, 3, 5, 0))
        #expect(seen.refusedTopics == 0)
        redis.kill()
        _ = try await sample(from: viewer) { !$0.isJoined && !$0.isUp && $0.losses == 1 }
        try await redis.restart()
        _ = try await sample(from: viewer) { $0.isJoined && $0.isUp }
        for server in [served, other] { await server.stop() }
    }
}

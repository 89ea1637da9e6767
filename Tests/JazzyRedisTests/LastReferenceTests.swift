import JazzyRedis
import JazzySwift
import JazzyTesting
import Synchronization
import Testing

@Suite("The end of servers that Redis joins", .enabled(if: RedisServer.isInstalled, "there is no redis-server"))
struct LastReferenceTests {
    /// The server's end waits for the broker's thread, which is the one that runs the closure.
    @Test("The closure that is told a gap, and one for the log, may drop the last reference to their server")
    func lastReference() async throws {
        let redis = try await RedisServer()
        let kept = Kept()
        var broker = JazzyRedisOptions(redis.url)
        broker.backoffMost = .milliseconds(50)
        broker.onGap = { _, _ in kept.drop() }
        var options = JazzyOptions()
        options.broker = .redis(broker)
        let client = try await start(options, kept)
        try redis.command("CLIENT", "KILL", "TYPE", "pubsub")
        try await eventually("the gap is told") { kept.hasDropped }
        try await client.awaitEnd()
        _ = try await eventually("Redis has no connections of it") {
            try redis.command("PUBSUB", "CHANNELS").isEmpty
        }
    }

    /// The only reference that stays is the one that is kept.
    private func start(_ options: JazzyOptions, _ kept: Kept) async throws -> JazzyTestClient {
        let server = JazzyServer(options: options)
        server.ws("/") { ws, event, _ in if event == .open { ws.subscribe("news") } }
        try server.start(host: "127.0.0.1", port: 0)
        let client = try await JazzyTestClient(server, "/")
        try await eventually("the topic is live") { server.isLive("news") }
        kept.keep(server)
        return client
    }
}

/// The last reference to a server.
private final class Kept: Sendable {
    private let server = Mutex<JazzyServer?>(nil)
    private let drops = Atomic<Int>(0)

    var hasDropped: Bool { drops.load(ordering: .sequentiallyConsistent) > 0 }

    func keep(_ server: JazzyServer) { self.server.withLock { $0 = server } }

    func drop() {
        let last = server.withLock { server in
            defer { server = nil }
            return server
        }
        if last != nil { drops.add(1, ordering: .sequentiallyConsistent) }
    }
}

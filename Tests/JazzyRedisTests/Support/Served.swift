import Testing
import JazzyRedis
import JazzySwift
import JazzyTesting
import Synchronization

/// A server of the tests, whose broker is Redis.
final class Served: Sendable {
    let server: JazzyServer
    private let told = Told()

    /// The topics of which gaps were told.
    var gaps: [String] { told.all.withLock { $0.gaps } }
    var log: [String] { told.all.withLock { $0.log } }

    /// Every connection subscribes to "news", and publishes what it is sent to it.
    ///
    /// - Parameter change: Of the broker's options, whose times are short.
    init(_ url: String, threads: Int = 2, _ change: (inout JazzyRedisOptions) -> Void = { _ in }) {
        var redis = JazzyRedisOptions(url)
        redis.probeInterval = .milliseconds(100)
        // Longer than anything on a busy machine: a Redis that is away ends its connections.
        redis.probeTimeout = .seconds(20)
        redis.backoffLeast = .milliseconds(5)
        redis.backoffMost = .milliseconds(50)
        redis.stopTimeout = .milliseconds(500)
        change(&redis)
        redis.onGap = { [told] topic, server in
            told.all.withLock { $0.gaps.append("\(topic) \(server.subscriberCount(topic))") }
        }
        var options = JazzyOptions()
        options.threads = threads
        options.broker = .redis(redis)
        options.log = { [told] level, line in told.all.withLock { $0.log.append("\(level): \(line)") } }
        server = JazzyServer(options: options)
        server.ws("/") { ws, event, message in
            if event == .open {
                ws.subscribe("news")
                ws.send("hello")
            }
            if event == .message { ws.publish("news", message.bytes, kind: message.kind) }
        }
    }

    /// Runs it on a free port, and returns it.
    func started() throws -> Served {
        try server.start(host: "127.0.0.1", port: 0)
        return self
    }

    /// A client that receives what other servers publish.
    func client() async throws -> JazzyTestClient {
        let client = try await JazzyTestClient(server, "/")
        #expect(try await client.message().text == "hello")
        try await eventually("the topic is live") { server.isLive("news") }
        return client
    }

    func stop() async { await server.stopAndWait(grace: .zero) }
}

private final class Told: Sendable {
    let all = Mutex<(gaps: [String], log: [String])>(([], []))
}

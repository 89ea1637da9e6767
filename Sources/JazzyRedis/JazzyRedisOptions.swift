import JazzySwift

/// Which Redis joins servers, and how. A server with an option outside its range does not listen.
///
/// Where the defaults are right, ``JazzySwift/JazzyBroker/redis(_:prefix:ordering:startsAlone:onGap:)`` is enough.
///
/// ```swift
/// var redis = JazzyRedisOptions("redis://127.0.0.1:6379")
/// redis.prefix = "chat:"
/// redis.startsAlone = true
/// options.broker = .redis(redis)
/// ```
///
/// Time-outs are in whole milliseconds. A description has no password.
public struct JazzyRedisOptions: Sendable {
    /// Where Redis is.
    ///
    /// | | |
    /// | --- | --- |
    /// | `redis://[[user]:password@]host[:port][/database]` | the default port is 6379 |
    /// | `rediss://…` | the same with TLS, by OpenSSL 3: name the trait where you depend on the package, `.package(…, traits: ["JazzyRedisTLS"])` |
    /// | `unix://[[user]:password@]/path[?db=database]` | a Unix domain socket |
    /// | `redis-sentinel://[[user]:password@]host[:port],host[:port]…/name[/database]` | the master that these Sentinels (port 26379) know by this name |
    /// | `rediss-sentinel://…` | the same with TLS to the Sentinels and to the master |
    ///
    /// User, password and path may have `%XX`.
    public var url: String

    /// What all channels begin with. The default is `jazzy:`.
    ///
    /// Servers with the same prefix share their topics: the channel of the topic `news` is `jazzy:news`. What is
    /// published to it by others, such as `redis-cli PUBLISH jazzy:news hello`, arrives as a text, if it is UTF-8.
    public var prefix = "jazzy:"

    /// How Redis lists the connections, `CLIENT LIST`: without spaces. The default is `jazzy`.
    public var clientName = "jazzy"

    /// In which order subscribers receive what several processes publish. The default is
    /// `JazzyBrokerOrdering.localFirst`.
    public var ordering = JazzyBrokerOrdering.localFirst

    /// What happens if Redis cannot be reached when a server starts: `false`, the default: it does not start, and the
    /// error says why; `true`: it goes on alone, and joins the others as soon as it can.
    public var startsAlone = false

    /// The bytes of messages that may wait for Redis to take them, while it is slow or away: 64 KiB to 1 TiB. The default
    /// is 64 MiB.
    ///
    /// Those beyond are dropped: the publisher is told, and the others, as soon as they can be, that they missed some.
    public var queueLimit = 67_108_864

    /// The bytes that are gathered for one system call while Redis has not answered the last: 1 to 16 MiB. The default is
    /// 32 KiB.
    ///
    /// Where nothing is outstanding a message is sent at once.
    public var publishBatch = 32_768

    /// How long a topic stays subscribed in Redis without a subscriber here: 0 to 1 h. The default is 5 s.
    public var linger = Duration.seconds(5)

    /// How often the process publishes to itself, to see that messages arrive: 10 ms to 1 h. The default is 5 s.
    public var probeInterval = Duration.seconds(5)

    /// How long it may not hear that until both connections are made anew: 10 ms to 1 h, and not less than
    /// ``probeInterval``. The default is 10 s.
    public var probeTimeout = Duration.seconds(10)

    /// The time for making a connection, with all that it takes until it can be used, over all addresses of its host, and
    /// for asking all Sentinels: 10 ms to 10 min. The default is 5 s.
    public var connectTimeout = Duration.seconds(5)

    /// How long the end of a server waits for queued messages to be taken: 0 to 10 min. The default is 2 s.
    public var stopTimeout = Duration.seconds(2)

    /// The first bound of the pauses between attempts to connect, which are random, from 0 up to a bound that doubles
    /// with each failure: 1 ms to 10 min. The default is 50 ms.
    public var backoffLeast = Duration.milliseconds(50)

    /// The last bound of these pauses: 1 ms to 10 min, and not less than ``backoffLeast``. The default is 2 s.
    public var backoffMost = Duration.seconds(2)

    /// Whom Sentinels know this process as; `nil`, the default: they ask for no user.
    public var sentinelUser: String?

    /// The password for Sentinels; `nil`, the default: they ask for none. That of Redis itself is in the ``url``.
    public var sentinelPassword: String?

    /// With TLS, a file with the authorities, in PEM, that the certificates of Redis and of Sentinels are checked against;
    /// `nil`, the default: those of the system.
    public var caFile: String?

    /// With TLS, a file with this client's certificate, in PEM; `nil`, the default: it has none.
    public var certificateFile: String?

    /// With TLS, a file with the key of that certificate, in PEM.
    public var keyFile: String?

    /// Called when messages of others may have been lost; `nil`, the default: that is only counted, and logged.
    public var onGap: JazzyRedisGapHandler?

    /// Creates options with the defaults.
    ///
    /// - Parameter url: Where Redis is: ``url``.
    public init(_ url: String) {
        self.url = url
    }
}

/// Called when messages of other processes to a topic were lost, or may have been, once for each topic and loss.
///
/// It is called when the topic is live again: what is published from now on arrives, so that what is read now, from where
/// the application stores it, misses nothing. On a thread of the broker, one call at a time; it must not block, because
/// no message arrives meanwhile.
///
/// ```swift
/// options.broker = .redis("redis://127.0.0.1:6379") { topic, server in
///     for ws in server.connections(in: topic) { ws.send("reload \(topic)") }
/// }
/// ```
///
/// - Parameters:
///   - topic: The topic.
///   - server: The server whose subscribers have missed something.
public typealias JazzyRedisGapHandler = @Sendable (_ topic: String, _ server: JazzyServerHandle) -> Void

extension JazzyRedisOptions: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Without passwords.
    public var description: String { "Redis with the prefix \(prefix)" }

    /// The same.
    public var debugDescription: String { description }

    /// Without anything that may be secret.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

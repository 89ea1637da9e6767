import JazzySwift

extension JazzyBroker {
    /// Joins servers of several processes and machines over Redis.
    ///
    /// ```swift
    /// options.broker = .redis("redis://127.0.0.1:6379")
    /// ```
    ///
    /// - Parameters:
    ///   - url: Where Redis is, as `redis://user:password@host:port/database`; all forms: ``JazzyRedisOptions/url``.
    ///   - prefix: What all channels begin with: servers with the same one share their topics.
    ///   - ordering: In which order subscribers receive what several processes publish.
    ///   - startsAlone: Whether a server starts where Redis cannot be reached, and joins the others later.
    ///   - onGap: Called when messages of others may have been lost.
    public static func redis(
        _ url: String, prefix: String = "jazzy:", ordering: JazzyBrokerOrdering = .localFirst,
        startsAlone: Bool = false, onGap: JazzyRedisGapHandler? = nil
    ) -> JazzyBroker {
        var options = JazzyRedisOptions(url)
        options.prefix = prefix
        options.ordering = ordering
        options.startsAlone = startsAlone
        options.onGap = onGap
        return .redis(options)
    }

    /// Joins servers of several processes and machines over Redis.
    ///
    /// - Parameter options: All that can be chosen.
    public static func redis(_ options: JazzyRedisOptions) -> JazzyBroker {
        JazzyBroker(makeFunctions: { serverOptions, server throws(JazzyError) in
            let redis = try RedisBroker(options, serverOptions, server)
            return (redis.functions, redis)
        })
    }
}

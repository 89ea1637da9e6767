/// The last messages of a topic: ``JazzyServer/recent(_:_:)``.
public struct JazzyRecent: Sendable {
    /// The messages, oldest first.
    public let messages: [WsOwnedMessage]
    /// Behind the last one: who subscribes from there on misses nothing, and gets nothing twice.
    public let position: JazzyPosition
}

extension JazzyServer {
    /// Keeps the last messages of all topics that begin with a prefix, so that clients that have lost their connection
    /// continue where they were: ``JazzyConnection/subscribe(_:since:announcing:enveloping:)``,
    /// ``resumable(_:topic:options:upgrade:)-(_,String,_,_)``.
    ///
    /// What exceeds the count, the time or the bytes is forgotten, the oldest first, and beyond
    /// ``JazzyOptions/historyLimit``, which is for all topics together, the topic to which nothing was published for the
    /// longest time. Each message is kept once, however many subscribers it has. Of several prefixes of a topic the
    /// longest counts. See <doc:History>.
    ///
    /// A history is that of one process, unless the ``JazzyOptions/broker`` keeps it for all, as Redis does; with a broker
    /// that does not, the server does not start.
    ///
    /// - Parameters:
    ///   - prefix: What the topics begin with, compared byte by byte. Empty: all topics.
    ///   - count: How many messages are kept of each topic: 1 to 1,000,000.
    ///   - age: How long they are kept: 1 second to 30 days, by a clock that never goes back, and that stands still while
    ///     the machine sleeps.
    ///   - bytes: How many bytes of payload are kept of each topic: 1 to 4 GiB. The default is 1 MiB.
    public func history(_ prefix: String, keep count: Int, for age: Duration, bytes: Int = 1_048_576) {
        add(HistoryRule(prefix: prefix, count: count, age: age, bytes: bytes))
    }

    /// The last messages of a topic with history, and the position behind them.
    ///
    /// Where a broker keeps the histories, it is what this process knows: nothing, and a position where nobody
    /// recovers, if the topic has no subscriber here. Who subscribes with recent messages gets them from the broker.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - count: How many messages at most; fewer if fewer are kept.
    /// - Returns: The messages; none, and a position of zeros, if the topic has no history, or if the server does not
    ///   listen.
    public func recent(_ topic: String, _ count: Int) -> JazzyRecent {
        listening?.withCalls { $0.recent(topic, count) } ?? .none
    }
}

extension Jazzy {
    /// Keeps the last messages of all topics of the default application that begin with a prefix:
    /// ``JazzyServer/history(_:keep:for:bytes:)``.
    ///
    /// - Parameters:
    ///   - prefix: What the topics begin with, compared byte by byte. Empty: all topics.
    ///   - count: How many messages are kept of each topic: 1 to 1,000,000.
    ///   - age: How long they are kept: 1 second to 30 days.
    ///   - bytes: How many bytes of payload are kept of each topic: 1 to 4 GiB. The default is 1 MiB.
    public static func history(_ prefix: String, keep count: Int, for age: Duration, bytes: Int = 1_048_576) {
        server.history(prefix, keep: count, for: age, bytes: bytes)
    }

    /// The last messages of a topic of the default application: ``JazzyServer/recent(_:_:)``.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - count: How many messages at most; fewer if fewer are kept.
    public static func recent(_ topic: String, _ count: Int) -> JazzyRecent { server.recent(topic, count) }
}

extension JazzyRecent {
    static let none = JazzyRecent(messages: [], position: JazzyPosition(epoch: 0, offset: 0))
}

/// How much is kept of the topics with a prefix. It is registered as routes are.
struct HistoryRule: JazzyRoute {
    let prefix: String
    let count: Int
    let age: Duration
    let bytes: Int

    /// Only for the log: no path is registered.
    var path: String { "of the history of \(prefix)" }
}

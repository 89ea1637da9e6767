/// Statistics of a server's broker, which joins its topics with those of servers in other processes.
///
/// All numbers are 0 if the server has none: ``JazzyOptions/broker``.
public struct JazzyBrokerStatistics: Equatable, Sendable {
    /// Whether the server runs and the broker is connected to the other servers.
    public internal(set) var isJoined = false
    /// How often that connection was lost.
    public internal(set) var losses = 0
    /// The topics that have subscribers here now.
    public internal(set) var topics = 0
    /// The publications that the broker accepted for the others.
    public internal(set) var published = 0
    /// The publications that it did not accept: subscribers here received them, unless all go through the broker
    /// (``JazzyBrokerOrdering/ordered``), the others did not.
    public internal(set) var refused = 0
    /// The publications of the others that were accepted here, and of this server, too, if all go through the broker;
    /// ``JazzyStatistics/dropped`` counts those that were not.
    public internal(set) var delivered = 0

    /// What the broker tells of itself; 0 where it tells nothing. When the server has ended, what it told last.
    var report = JazzyBrokerReport()

    /// Creates the statistics of a server that has no broker.
    public init() {}
}

// What the broker itself tells.
extension JazzyBrokerStatistics {
    /// Whether the broker is connected to what carries its messages, such as Redis.
    public var isUp: Bool { report.isUp }
    /// How often it connected again.
    public var reconnects: Int { report.reconnects }
    /// How often it noticed that messages of a topic were lost, or may have been.
    public var gaps: Int { report.gaps }
    /// The messages of the other servers that came.
    public var received: Int { report.received }
    /// The messages of this server that came back.
    public var echoes: Int { report.echoes }
    /// The messages that had come before, and were not delivered again.
    public var duplicates: Int { report.duplicates }
    /// The messages that it could not read, or that were no text, and were not delivered.
    public var unreadable: Int { report.unreadable }
    /// The messages of this server that it gave up, accepted or not.
    public var dropped: Int { report.dropped }
    /// The bytes that wait in it now: accepted, and not yet known to have arrived.
    public var queuedBytes: Int { report.queuedBytes }
    /// The same in messages.
    public var queuedMessages: Int { report.queuedMessages }
    /// How long the last message that it measured took, to itself and back.
    public var lag: Duration { report.lag }
    /// The topics with subscribers here now to which it may not subscribe, so that nothing of the others comes.
    public var refusedTopics: Int { report.refusedTopics }
}

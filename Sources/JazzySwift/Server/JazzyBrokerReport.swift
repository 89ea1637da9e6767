/// What a broker tells of itself, beside what its server counts; 0 where it has nothing to tell.
///
/// The author of a ``JazzyBrokerConnection`` makes one; everybody else finds the same in ``JazzyBrokerStatistics``. Counts
/// are those since it was connected.
public struct JazzyBrokerReport: Equatable, Sendable {
    /// Whether it is connected to what carries its messages.
    public var isUp = false
    /// How often it connected again.
    public var reconnects = 0
    /// How often it noticed that messages of a topic were lost, or may have been.
    public var gaps = 0
    /// The messages of the other servers that came.
    public var received = 0
    /// The messages of this server that came back.
    public var echoes = 0
    /// The messages that had come before, and were not delivered again.
    public var duplicates = 0
    /// The messages that it could not read, or that were no text, and were not delivered.
    public var unreadable = 0
    /// The messages of this server that it gave up, accepted or not.
    public var dropped = 0
    /// The bytes that it has accepted now, and not yet been told to have arrived.
    public var queuedBytes = 0
    /// The same in messages.
    public var queuedMessages = 0
    /// How long the last message that it measured took, to itself and back.
    public var lag = Duration.zero
    /// The topics with subscribers here now to which it may not subscribe, so that nothing of the others comes.
    public var refusedTopics = 0

    /// Creates a report that says nothing.
    public init() {}
}

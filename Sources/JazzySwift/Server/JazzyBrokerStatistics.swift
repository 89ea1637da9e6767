/// What the broker of a server does and has done: what joins its topics with those of servers in other processes.
///
/// A broker is written in C (`jazzy/broker.h`). All is 0 of a server that has none.
public struct JazzyBrokerStatistics: Equatable, Sendable {
    /// Whether the server runs and the broker reaches the other servers.
    public internal(set) var isJoined = false
    /// How many times it did not reach them any more.
    public internal(set) var losses = 0
    /// The topics that there are which have subscribers here.
    public internal(set) var topics = 0
    /// The publications that it took, for the others.
    public internal(set) var published = 0
    /// The publications that it did not take: subscribers here have them, those of the others do not.
    public internal(set) var refused = 0
    /// The publications of the others that were taken here; what was not is counted by ``JazzyStatistics/dropped``.
    public internal(set) var delivered = 0

    /// Creates the statistics of a server that has no broker.
    public init() {}
}

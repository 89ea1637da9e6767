/// Statistics of a server's broker, which joins its topics with those of servers in other processes.
///
/// A broker is written in C (`jazzy/broker.h`). All numbers are 0 if the server has none.
public struct JazzyBrokerStatistics: Equatable, Sendable {
    /// Whether the server runs and the broker is connected to the other servers.
    public internal(set) var isJoined = false
    /// How often that connection was lost.
    public internal(set) var losses = 0
    /// The topics that have subscribers here now.
    public internal(set) var topics = 0
    /// The publications that the broker accepted for the others.
    public internal(set) var published = 0
    /// The publications that it did not accept: subscribers here received them, the others did not.
    public internal(set) var refused = 0
    /// The publications of the others that were accepted here; ``JazzyStatistics/dropped`` counts those that were not.
    public internal(set) var delivered = 0

    /// Creates the statistics of a server that has no broker.
    public init() {}
}

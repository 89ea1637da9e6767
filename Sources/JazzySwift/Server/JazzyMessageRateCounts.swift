/// What happened because clients sent more messages than ``JazzyRouteOptions/messageRate`` allows.
public struct JazzyMessageRateCounts: Hashable, Sendable {
    /// The connections that were closed: ``JazzyMessageRate/Exceeding/close``.
    public internal(set) var closes = 0
    /// How often reading from a connection paused: ``JazzyMessageRate/Exceeding/pauseReading``.
    public internal(set) var pauses = 0
    /// The received messages that were dropped: ``JazzyMessageRate/Exceeding/drop``.
    public internal(set) var drops = 0

    /// Creates counts of 0.
    public init() {}
}

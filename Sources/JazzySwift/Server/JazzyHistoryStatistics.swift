/// What a server keeps of topics with a history (``JazzyServer/history(_:keep:for:bytes:)``), and who continued there.
///
/// All numbers are 0 if it keeps none.
public struct JazzyHistoryStatistics: Equatable, Sendable {
    /// The topics that are known, even if nothing of them is kept any more.
    public internal(set) var topics = 0
    /// The messages that are kept.
    public internal(set) var messages = 0
    /// The bytes that all this takes, of ``JazzyOptions/historyLimit``.
    public internal(set) var bytes = 0
    /// The subscriptions that continued at a position, without a gap.
    public internal(set) var recovered = 0
    /// Those that could not.
    public internal(set) var notRecovered = 0

    /// Creates the statistics of a server that keeps no history.
    public init() {}
}

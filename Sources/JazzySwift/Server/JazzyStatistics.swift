/// What a server does and has done, for its operator.
///
/// Counts are since the server listens. Each is exact; two of them may be from slightly different moments. All are 0 of
/// a server that does not listen.
///
/// ```swift
/// let statistics = Jazzy.statistics
/// print("\(statistics.webSockets) connections, \(statistics.refused(for: .origin)) refused for their origin")
/// ```
public struct JazzyStatistics: Equatable, Sendable {
    // MARK: Connections

    /// The connections that there are, WebSockets and others.
    public internal(set) var connections = 0
    /// The most that there were at a time.
    public internal(set) var connectionsPeak = 0
    /// All that there have been.
    public internal(set) var connectionsTotal = 0
    /// The WebSockets that there are: their handshake was answered, and their close event was not delivered yet.
    public internal(set) var webSockets = 0
    /// All that there have been.
    public internal(set) var webSocketsTotal = 0
    /// The connections that there are which are no WebSockets yet.
    public internal(set) var handshakes = 0

    // MARK: Messages

    /// The messages that were received.
    public internal(set) var messagesReceived = JazzyMessageCounts()
    /// The bytes of their payloads, decompressed.
    public internal(set) var bytesReceived = JazzyMessageCounts()
    /// The messages that were accepted to be sent, automatic pings and pongs included.
    public internal(set) var messagesSent = JazzyMessageCounts()
    /// The bytes of their payloads, before they were compressed.
    public internal(set) var bytesSent = JazzyMessageCounts()
    /// The messages that were dropped: ``JazzyServer/droppedCount``.
    public internal(set) var dropped = 0
    /// The bytes that were accepted to be sent, and not yet by the kernel.
    public internal(set) var bufferedBytes = 0

    // MARK: Event loops, all together

    /// How many times a loop had something to do.
    public internal(set) var iterations = 0
    /// The time that was spent in them; by ``iterations``, what one takes on average.
    public internal(set) var iterationTime = Duration.zero
    /// The time that the longest of them took.
    public internal(set) var longestIteration = Duration.zero
    /// How long the iteration under way has kept a loop, the longest of them. What is ready meanwhile waits as long: it
    /// grows while a handler blocks.
    public internal(set) var lag = Duration.zero

    // MARK: Other processes

    /// The broker, if the server has one.
    public internal(set) var broker = JazzyBrokerStatistics()

    // MARK: Ends

    /// By the core's number of the reason.
    var refusals: [Int] = []
    /// By the core's index of the close code.
    var closeCounts: [Int] = []
    /// By the core's number of the cause.
    var causeCounts: [Int] = []
    /// By the core's number of the failure.
    var failureCounts: [Int] = []

    /// How many connections were refused for a reason before they were WebSockets.
    public func refused(for reason: JazzyRefusal) -> Int { refusals.count(at: reason.index) }

    /// How many connections were refused before they were WebSockets.
    public var refusedTotal: Int { refusals.reduce(0, +) }

    /// How many close events had a code.
    ///
    /// Each code from 1000 to 1015 is counted for itself. Three groups are counted together: 3000 to 3999, 4000 to
    /// 4999, and all others. Any code of a group tells the number of the group.
    public func closes(code: UInt16) -> Int { closeCounts.count(at: closeIndex(of: code)) }

    /// How many close events had a cause.
    public func closes(cause: WsClose.Cause) -> Int { causeCounts.count(at: cause.index) }

    /// How many close events there were.
    public var closesTotal: Int { closeCounts.reduce(0, +) }

    /// How many connections failed because of a rule.
    public func failures(_ rule: WsError.Rule) -> Int { failureCounts.count(at: rule.index) }

    /// How many connections failed.
    public var failuresTotal: Int { failureCounts.reduce(0, +) }

    /// Creates the statistics of a server that does not listen.
    public init() {}
}

extension JazzyServer {
    /// What the server does and has done since it listens, from any thread, without stopping its event loops; all 0
    /// when it does not listen.
    public var statistics: JazzyStatistics { listening?.statistics ?? JazzyStatistics() }
}

extension [Int] {
    fileprivate func count(at index: Int) -> Int { indices.contains(index) ? self[index] : 0 }
}

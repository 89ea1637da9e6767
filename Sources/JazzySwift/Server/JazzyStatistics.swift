/// Statistics of a server, for its operator.
///
/// Counted since the server listens. Each number is exact, but two of them may be from slightly different moments. All
/// are 0 if the server does not listen.
///
/// ```swift
/// let statistics = Jazzy.statistics
/// print("\(statistics.webSockets) connections, \(statistics.refused(for: .origin)) refused for their origin")
/// ```
public struct JazzyStatistics: Equatable, Sendable {
    // MARK: Connections

    /// The current connections, WebSockets and others.
    public internal(set) var connections = 0
    /// The most connections at a time.
    public internal(set) var connectionsPeak = 0
    /// All that there have been.
    public internal(set) var connectionsTotal = 0
    /// The current WebSockets: their handshake was answered, and their close event was not delivered yet.
    public internal(set) var webSockets = 0
    /// All that there have been.
    public internal(set) var webSocketsTotal = 0
    /// The current connections that are not WebSockets yet.
    public internal(set) var handshakes = 0

    // MARK: Messages

    /// The messages that were received.
    public internal(set) var messagesReceived = JazzyMessageCounts()
    /// The bytes of their payloads, decompressed.
    public internal(set) var bytesReceived = JazzyMessageCounts()
    /// The messages that were accepted for sending, with automatic pings and pongs.
    public internal(set) var messagesSent = JazzyMessageCounts()
    /// The bytes of their payloads, before compression.
    public internal(set) var bytesSent = JazzyMessageCounts()
    /// The messages that were dropped: ``JazzyServer/droppedCount``.
    public internal(set) var dropped = 0
    /// What ``JazzyRouteOptions/messageRate`` did.
    public internal(set) var messageRate = JazzyMessageRateCounts()
    /// The bytes that were accepted for sending, and not yet taken by the kernel.
    public internal(set) var bufferedBytes = 0

    // MARK: Event loops, all together

    /// The number of loop iterations.
    public internal(set) var iterations = 0
    /// The time in them; divided by ``iterations``, the average.
    public internal(set) var iterationTime = Duration.zero
    /// The time of the longest.
    public internal(set) var longestIteration = Duration.zero
    /// How long the current iteration of a loop has taken so far, the maximum of all loops. Ready connections wait as
    /// long. It grows while a handler blocks.
    public internal(set) var lag = Duration.zero

    /// The times of all iterations.
    public internal(set) var iterationTimes = Histogram()

    // MARK: Times, of a server with a page for metrics

    /// How late the loops do what is due, measured ten times a second. This and the next three only of a server with
    /// ``JazzyServer/metrics(_:for:)`` or another page that shows them.
    public internal(set) var lateness = Histogram()
    /// How long handlers take for a text or binary message, of about one message in 64.
    public internal(set) var handlerTimes = Histogram()
    /// How long the WebSockets that have ended were open.
    public internal(set) var webSocketTimes = Histogram()
    /// How long it took from a ping that the server sent by itself until the pong came.
    public internal(set) var pingTimes = Histogram()

    // MARK: Other processes

    /// The broker, if the server has one.
    public internal(set) var broker = JazzyBrokerStatistics()

    // MARK: Topics with a history

    /// What is kept of topics, if the server keeps a history of any.
    public internal(set) var history = JazzyHistoryStatistics()

    // MARK: Members of topics

    /// Who is there, if anybody has subscribed as somebody.
    public internal(set) var presence = JazzyPresenceStatistics()

    // MARK: Ends

    /// Indexed by the core's number of the reason.
    var refusals: [Int] = []
    /// Indexed by the core's index of the close code.
    var closeCounts: [Int] = []
    /// Indexed by the core's number of the cause.
    var causeCounts: [Int] = []
    /// Indexed by the core's number of the failure.
    var failureCounts: [Int] = []

    /// How many connections were refused for a reason before they were WebSockets.
    public func refused(for reason: JazzyRefusal) -> Int { refusals.count(at: reason.index) }

    /// How many connections were refused before they were WebSockets.
    public var refusedTotal: Int { refusals.reduce(0, +) }

    /// How many close events had a code.
    ///
    /// Each code from 1000 to 1015 is counted on its own. Other codes are counted in three groups: 3000 to 3999, 4000
    /// to 4999, and all others. For any code of a group this is the count of the group.
    public func closes(code: WsCloseCode) -> Int { closeCounts.count(at: closeIndex(of: code)) }

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
    /// The server's statistics since it listens, from any thread, without stopping its event loops; all 0 if it does
    /// not listen.
    public var statistics: JazzyStatistics { listening?.statistics ?? JazzyStatistics() }
}

extension [Int] {
    fileprivate func count(at index: Int) -> Int { indices.contains(index) ? self[index] : 0 }
}

/// The rate of messages that each connection of a route may send: ``JazzyRouteOptions/messageRate``.
///
/// ```swift
/// // Twenty messages per second, forty at once after silence; who sends more is read later.
/// let options = JazzyRouteOptions(messageRate: .perSecond(20, burst: 40, exceeding: .pauseReading))
/// Route.ws("/game", options: options) { ws, event, message in
///     if event == .message, message.kind == .text { ws.send(message.text) }
/// }
/// ```
///
/// Each text and binary message counts, when it is complete. Pings and pongs count, too, but among themselves: they have
/// another allowance of the same size, to which each ping of the idle time-out adds one, so that a client can answer
/// that at any time. What was done is in ``JazzyStatistics/messageRate``.
public struct JazzyMessageRate: Hashable, Sendable {
    /// What happens if a client sends more.
    public enum Exceeding: CaseIterable, Hashable, Sendable {
        /// The connection is closed with code 1008, Policy Violation: ``WsClose/Cause-swift.enum/messageRate``.
        case close

        /// Reading pauses until there may be another message: none is lost or reordered, and TCP slows the client down.
        /// What came with the last one is kept: at most ``JazzyOptions/receiveBufferSize``.
        ///
        /// Timers are coarse: what may be received is handled up to 100 ms late, several messages at a time. So a burst
        /// is never less than what the rate gives in 100 ms, and one more.
        case pauseReading

        /// The message is dropped: the handler does not get it. A ping is answered nevertheless.
        case drop
    }

    /// The messages per second, on average: 1 to 1,000,000.
    public var messagesPerSecond: Int

    /// The messages at once, after silence: 1 to 1,000,000.
    public var burst: Int

    /// What happens if a client sends more.
    public var exceeding: Exceeding

    /// A rate of messages.
    ///
    /// - Parameters:
    ///   - messagesPerSecond: The messages per second, on average: 1 to 1,000,000.
    ///   - burst: The messages at once, after silence: 1 to 1,000,000; `nil`: as many as per second.
    ///   - exceeding: What happens if a client sends more.
    public static func perSecond(_ messagesPerSecond: Int, burst: Int? = nil, exceeding: Exceeding) -> Self {
        Self(messagesPerSecond: messagesPerSecond, burst: burst ?? messagesPerSecond, exceeding: exceeding)
    }
}

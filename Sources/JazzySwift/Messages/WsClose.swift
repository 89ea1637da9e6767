/// How a connection ended.
public struct WsClose: Equatable, Sendable {
    /// The close code that the peer sent, or after a failure the code that was sent to the peer (RFC 6455 §7.4).
    ///
    /// 1005: the peer's close frame had no code; 1006: there was no close frame.
    public let code: WsCloseCode

    /// The reason that the peer gave, often empty.
    public let reason: String

    /// Whether both sides sent a close frame (RFC 6455 §7.1.4).
    public let wasClean: Bool

    /// Why it ended. The first cause counts: what follows from it only says how the connection ended.
    public enum Cause: CaseIterable, Sendable {
        /// The peer closed it, or disappeared.
        case peer
        /// ``JazzyConnection/close(code:reason:)``, ``JazzyConnection/terminate()``, or a handler that threw.
        case application
        /// ``JazzyRouteOptions/backpressureLimit`` was reached, with ``JazzyBackpressurePolicy/close``.
        case backpressure
        /// ``JazzyRouteOptions/idleTimeout``.
        case idle
        /// ``JazzyRouteOptions/maxLifetime``.
        case lifetime
        /// The server stops.
        case stopping
        /// The connection failed: see ``WsClose/failure``.
        case failure
        /// The client exceeded ``JazzyRouteOptions/messageRate``, with ``JazzyMessageRate/Exceeding/close``.
        case messageRate
    }

    /// Why it ended.
    public let cause: Cause

    /// What went wrong, even if it is not the cause; `nil` if nothing did.
    public let failure: WsError?

    /// Creates a description of an end, for instance to test a handler.
    public init(
        code: WsCloseCode, reason: String = "", wasClean: Bool = true, cause: Cause = .peer, failure: WsError? = nil
    ) {
        self.code = code
        self.reason = reason
        self.wasClean = wasClean
        self.cause = cause
        self.failure = failure
    }
}

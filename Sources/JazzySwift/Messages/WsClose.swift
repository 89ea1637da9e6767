/// How a connection ended.
public struct WsClose: Equatable, Sendable {
    /// The close code that the peer sent, or after a failure the code that the peer was sent (RFC 6455 §7.4).
    ///
    /// 1005 says that the peer's close frame carried no code, and 1006 that there was no close frame.
    public let code: UInt16

    /// The reason that the peer gave, often empty.
    public let reason: String

    /// Whether close frames went both ways (RFC 6455 §7.1.4).
    public let wasClean: Bool

    /// Why it ended: what came first, for what follows of it is only how it ended.
    public enum Cause: CaseIterable, Sendable {
        /// The peer closed it, or went away.
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
        /// The connection failed: ``WsClose/failure`` says at what.
        case failure
    }

    /// Why it ended.
    public let cause: Cause

    /// What went wrong, also where that came after the cause; `nil` where nothing did.
    public let failure: WsError?

    /// Creates a description of an end, for instance to test a handler.
    public init(
        code: UInt16, reason: String = "", wasClean: Bool = true, cause: Cause = .peer, failure: WsError? = nil
    ) {
        self.code = code
        self.reason = reason
        self.wasClean = wasClean
        self.cause = cause
        self.failure = failure
    }
}

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

    /// Creates a description of an end, for instance to test a handler.
    public init(code: UInt16, reason: String = "", wasClean: Bool = true) {
        self.code = code
        self.reason = reason
        self.wasClean = wasClean
    }
}

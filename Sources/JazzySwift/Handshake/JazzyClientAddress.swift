/// Where the address of a client is read that comes through one of ``JazzyOptions/trustedProxies``.
///
/// It is one place only, because a proxy that sets one of them passes the others on as the client sent them.
public enum JazzyClientAddress: Sendable {
    /// Nowhere: the peer of the socket is the client.
    case peer

    /// The last address in `X-Forwarded-For` that is no trusted proxy's.
    case xForwardedFor

    /// The same in `Forwarded` (RFC 7239).
    case forwarded

    /// The PROXY protocol, version 1 or 2, with which a trusted proxy has to begin.
    case proxyProtocol
}

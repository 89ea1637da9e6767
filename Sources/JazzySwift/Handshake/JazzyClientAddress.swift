/// Where the server finds the address of a client behind one of ``JazzyOptions/trustedProxies``.
///
/// Only one place, because a proxy that sets one of them passes on the others as the client sent them.
public enum JazzyClientAddress: Sendable {
    /// The peer of the socket is the client.
    case peer

    /// The last address in `X-Forwarded-For` that is not a trusted proxy.
    case xForwardedFor

    /// The same in `Forwarded` (RFC 7239).
    case forwarded

    /// The PROXY protocol, version 1 or 2; a trusted proxy must begin with it.
    case proxyProtocol
}

/// Where the server finds the address of a client behind one of ``JazzyOptions/trustedProxies``.
///
/// Only one place, because a proxy that sets one of them passes on the others as the client sent them.
public enum JazzyClientAddress: Hashable, Sendable {
    /// The peer of the socket is the client.
    case peer

    /// The last address in `X-Forwarded-For` that is not a trusted proxy.
    case xForwardedFor

    /// The same in `Forwarded` (RFC 7239).
    case forwarded

    /// The PROXY protocol, version 1 or 2; a trusted proxy must begin with it.
    case proxyProtocol

    /// The one address in the header of this name, such as `CF-Connecting-IP` or `X-Real-IP`: with a port or without,
    /// IPv6 in brackets or not.
    ///
    /// The proxy must set it, and remove what its client sent. If it is there more than once, or is no address, the
    /// request is refused with 400; if it is missing, the proxy itself counts as the client. Both are logged.
    ///
    /// ```swift
    /// var options = JazzyOptions()
    /// options.clientAddress = .header("X-Real-IP")
    /// options.trustedProxies = ["10.0.0.0/8"]
    /// ```
    case header(String)
}

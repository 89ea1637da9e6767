/// Where the host is read that a client asked for, when it is behind one of the trusted proxies.
///
/// One place only: a proxy that sets one of these headers passes the other on as the client sent it.
public enum JazzyForwardedHost: Sendable {
    /// Nowhere: the proxies pass the client's `Host` on.
    case none
    /// The last host in `X-Forwarded-Host`, which the nearest proxy wrote.
    case xForwardedHost
    /// `host` of `Forwarded` (RFC 7239), as the first of the proxies says that is trusted.
    case forwarded
}

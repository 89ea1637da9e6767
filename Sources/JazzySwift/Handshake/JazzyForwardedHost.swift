/// Where the server finds the host that a client behind a trusted proxy asked for.
///
/// Only one place, because a proxy that sets one of these headers passes on the other as the client sent it.
public enum JazzyForwardedHost: Sendable {
    /// `Host`, which the proxies pass on unchanged.
    case none
    /// The last host in `X-Forwarded-Host`, which the nearest proxy wrote.
    case xForwardedHost
    /// `host` of `Forwarded` (RFC 7239), according to the first trusted proxy.
    case forwarded
}

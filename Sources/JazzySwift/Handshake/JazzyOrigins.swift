/// From which pages browsers may connect to a route: against cross-site WebSocket hijacking (RFC 6455 §10.2).
///
/// Others get a 403; the first refusal of each route is logged as a warning that says what to do. A request without an
/// `Origin` does not come from a browser, and is let in.
public enum JazzyOrigins: Equatable, Sendable {
    /// From pages of the host and port that the request is for, according to its target, its `Host`, or
    /// ``JazzyOptions/forwardedHost``.
    ///
    /// If the request is secure (``JazzyRequest/isSecure``), the page must have come by https, too. Otherwise schemes
    /// are not compared, because a proxy may terminate TLS without saying so. (Some clients that are no browsers name an
    /// origin with http in any case, as those of libwebsockets do unless they are told another.)
    case sameHost

    /// From pages of these origins, at least one and at most 1,024, as `https://example.com:8443`. They are compared
    /// according to RFC 6454 §5.
    ///
    /// Also `null`, which any page can send from a sandboxed frame, and `file://`.
    case listed([String])

    /// From all pages: for routes that need no protection, or are protected by more than a cookie.
    case any
}

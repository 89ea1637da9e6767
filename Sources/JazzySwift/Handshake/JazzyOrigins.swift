/// From which pages browsers may connect to a route: against cross-site WebSocket hijacking (RFC 6455 §10.2).
///
/// Who is refused is answered with 403; of each route the first is told to the log as a warning, with the way out. A request without an `Origin` is no browser's, and is let in.
public enum JazzyOrigins: Equatable, Sendable {
    /// From pages of the host and port that the request is for, as its target, its `Host`, or what
    /// ``JazzyOptions/forwardedHost`` names, says.
    case sameHost

    /// From pages of these origins, at least one and at most 1,024, as `https://example.com:8443`. They are compared
    /// as RFC 6454 §5 says.
    ///
    /// Also `null`, which any page can make its origin by a sandboxed frame, and `file://`.
    case listed([String])

    /// From all pages: for what needs no protection, or is protected by more than a cookie.
    case any
}

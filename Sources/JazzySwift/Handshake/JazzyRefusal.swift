/// Why a connection was refused before it was a WebSocket, and with which HTTP status.
public enum JazzyRefusal: CaseIterable, Sendable {
    /// 400: not HTTP, or HTTP that two parsers could understand differently.
    case malformedHead
    /// 431: ``JazzyOptions/maxHeadSize``, ``JazzyOptions/maxHeaderCount``.
    case headTooLarge
    /// 505.
    case httpVersion
    /// 408: the request head took too long; no answer if no byte of it was received.
    case handshakeTimeout
    /// 404: there is no such route.
    case notFound
    /// 405.
    case method
    /// 426: a request without upgrade for a WebSocket route, or another version of the protocol.
    case noUpgrade
    /// 400: a header of the handshake is missing or malformed (RFC 6455 §4.2.1).
    case invalidHandshake
    /// 403: ``JazzyRouteOptions/origins``.
    case origin
    /// The upgrade hook rejected it, or a page is not for this client (``JazzyAudience``).
    case rejected
    /// 503: the upgrade hook did not answer.
    case upgradeTimeout
    /// 503: ``JazzyOptions/maxConnections``.
    case maxConnections
    /// 429: ``JazzyOptions/maxConnectionsPerAddress``.
    case connectionsPerAddress
    /// 503: ``JazzyOptions/maxHandshakes``.
    case maxHandshakes
    /// No answer: a trusted proxy did not begin with a PROXY header.
    case proxyHeader
    /// No answer: there was no memory, or the kernel cannot watch more connections.
    case outOfMemory
}

/// Why a connection was refused before it was a WebSocket, and what it was answered with.
public enum JazzyRefusal: CaseIterable, Sendable {
    /// 400: no HTTP, or one that two parsers could read differently.
    case malformedHead
    /// 431: ``JazzyOptions/maxHeadSize``, ``JazzyOptions/maxHeaderCount``.
    case headTooLarge
    /// 505.
    case httpVersion
    /// 408: the request head took too long; without an answer where nothing of it came.
    case handshakeTimeout
    /// 404: there is no such route.
    case notFound
    /// 405.
    case method
    /// 426: a WebSocket route was asked for as a page, or for another version of the protocol.
    case noUpgrade
    /// 400: a header of the handshake is missing or ill-formed (RFC 6455 §4.2.1).
    case invalidHandshake
    /// 403: ``JazzyRouteOptions/origins``.
    case origin
    /// The upgrade hook said so.
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
    /// No answer: there was no memory, also where the kernel watches no more connections.
    case outOfMemory
}

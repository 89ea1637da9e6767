import CJazzyPoll

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

extension JazzyRefusal: CustomStringConvertible {
    /// Why, as a clause for logs.
    public var description: String { String(cString: jz_refusal_text(core)) }
}

extension JazzyRefusal {
    var core: jz_refusal {
        switch self {
        case .malformedHead: JZ_REFUSAL_MALFORMED_HEAD
        case .headTooLarge: JZ_REFUSAL_HEAD_TOO_LARGE
        case .httpVersion: JZ_REFUSAL_HTTP_VERSION
        case .handshakeTimeout: JZ_REFUSAL_HANDSHAKE_TIMEOUT
        case .notFound: JZ_REFUSAL_NOT_FOUND
        case .method: JZ_REFUSAL_METHOD
        case .noUpgrade: JZ_REFUSAL_NO_UPGRADE
        case .invalidHandshake: JZ_REFUSAL_INVALID_HANDSHAKE
        case .origin: JZ_REFUSAL_ORIGIN
        case .rejected: JZ_REFUSAL_REJECTED
        case .upgradeTimeout: JZ_REFUSAL_UPGRADE_TIMEOUT
        case .maxConnections: JZ_REFUSAL_MAX_CONNECTIONS
        case .connectionsPerAddress: JZ_REFUSAL_CONNECTIONS_PER_ADDRESS
        case .maxHandshakes: JZ_REFUSAL_MAX_HANDSHAKES
        case .proxyHeader: JZ_REFUSAL_PROXY_HEADER
        case .outOfMemory: JZ_REFUSAL_OUT_OF_MEMORY
        }
    }
}

import CJazzyPoll

extension JazzyRefusal: CustomStringConvertible {
    /// The reason, as a clause for logs.
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

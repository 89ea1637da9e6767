import CJazzyPoll

/// What a message is: data as text or as binary, or one of the two control frames that a handler is shown.
public enum WsMessageKind: Sendable {
    /// Text. What is received is always well-formed UTF-8.
    case text
    /// Any bytes.
    case binary
    /// A ping of at most 125 bytes. When a handler sees it, it has already been answered with a pong.
    case ping
    /// A pong of at most 125 bytes.
    case pong
}

extension WsMessageKind {
    init(_ kind: jz_message_kind) {
        switch kind {
        case JZ_MESSAGE_TEXT: self = .text
        case JZ_MESSAGE_BINARY: self = .binary
        case JZ_MESSAGE_PING: self = .ping
        default: self = .pong
        }
    }

    @usableFromInline
    var core: jz_message_kind {
        switch self {
        case .text: JZ_MESSAGE_TEXT
        case .binary: JZ_MESSAGE_BINARY
        case .ping: JZ_MESSAGE_PING
        case .pong: JZ_MESSAGE_PONG
        }
    }
}

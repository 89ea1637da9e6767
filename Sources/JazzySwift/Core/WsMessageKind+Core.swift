import CJazzyPoll

extension WsMessageKind {
    init(_ kind: jz_message_kind) {
        switch kind {
        case JZ_MESSAGE_TEXT: self = .text
        case JZ_MESSAGE_BINARY: self = .binary
        case JZ_MESSAGE_PING: self = .ping
        default: self = .pong
        }
    }

    @inlinable
    var core: jz_message_kind {
        switch self {
        case .text: JZ_MESSAGE_TEXT
        case .binary: JZ_MESSAGE_BINARY
        case .ping: JZ_MESSAGE_PING
        case .pong: JZ_MESSAGE_PONG
        }
    }
}

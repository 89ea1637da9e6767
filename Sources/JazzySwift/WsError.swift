import CJazzyPoll

/// Why a connection failed.
public struct WsError: Error, Equatable, Sendable {
    /// Every rule that a peer can break, and what can break under a connection.
    public enum Rule: CaseIterable, Sendable {
        /// A reserved bit is set without an extension that gives it meaning (RFC 6455 §5.2).
        case reservedBits
        /// The opcode is one of 3 to 7 or 11 to 15 (RFC 6455 §5.2).
        case reservedOpcode
        /// A client must mask every frame (RFC 6455 §5.1).
        case notMasked
        /// The payload length is not in its shortest form (RFC 6455 §5.2).
        case lengthNotMinimal
        /// The payload length has its most significant bit set (RFC 6455 §5.2).
        case lengthTooLarge
        /// A control frame may not be fragmented (RFC 6455 §5.5).
        case controlFragmented
        /// A control frame may carry at most 125 bytes (RFC 6455 §5.5).
        case controlTooLong
        /// A continuation came with no message under way (RFC 6455 §5.4).
        case unexpectedContinuation
        /// A new message came before the last one ended (RFC 6455 §5.4).
        case expectedContinuation
        /// Text, or a close reason, must be UTF-8 (RFC 6455 §8.1).
        case invalidUTF8
        /// A close frame cannot carry one byte (RFC 6455 §5.5.1).
        case invalidCloseLength
        /// The close code may not be sent (RFC 6455 §7.4).
        case invalidCloseCode
        /// The message is larger than its route allows (RFC 6455 §7.4.1).
        case messageTooBig
        /// The message has more empty frames than ``JazzyOptions/maxFramesPerMessage`` allows.
        case tooManyFrames
        /// The compressed data does not inflate (RFC 7692 §7.2.2).
        case invalidCompression
        /// The server could not allocate memory.
        case outOfMemory
        /// Nothing came from the peer for as long as its route allows, not even a pong.
        case idleTimeout
        /// The socket failed, for instance because the peer reset it.
        case transport
    }

    /// The rule that was broken.
    public let rule: Rule

    /// Creates a failure, for instance to test a handler.
    public init(_ rule: Rule) {
        self.rule = rule
    }

    /// The close code that the peer was sent for this failure; 1006 where none can be sent.
    public var closeCode: UInt16 { jz_failure_close_code(rule.core) }
}

extension WsError: CustomStringConvertible {
    /// What went wrong, as a clause for logs.
    public var description: String { String(cString: jz_failure_text(rule.core)) }
}

extension WsError.Rule {
    init(_ failure: jz_failure) {
        self = Self.allCases.first { $0.core == failure } ?? .transport
    }

    var core: jz_failure {
        switch self {
        case .reservedBits: JZ_FAILURE_RESERVED_BITS
        case .reservedOpcode: JZ_FAILURE_RESERVED_OPCODE
        case .notMasked: JZ_FAILURE_NOT_MASKED
        case .lengthNotMinimal: JZ_FAILURE_LENGTH_NOT_MINIMAL
        case .lengthTooLarge: JZ_FAILURE_LENGTH_TOO_LARGE
        case .controlFragmented: JZ_FAILURE_CONTROL_FRAGMENTED
        case .controlTooLong: JZ_FAILURE_CONTROL_TOO_LONG
        case .unexpectedContinuation: JZ_FAILURE_UNEXPECTED_CONTINUATION
        case .expectedContinuation: JZ_FAILURE_EXPECTED_CONTINUATION
        case .invalidUTF8: JZ_FAILURE_INVALID_UTF8
        case .invalidCloseLength: JZ_FAILURE_INVALID_CLOSE_LENGTH
        case .invalidCloseCode: JZ_FAILURE_INVALID_CLOSE_CODE
        case .messageTooBig: JZ_FAILURE_MESSAGE_TOO_BIG
        case .tooManyFrames: JZ_FAILURE_TOO_MANY_FRAMES
        case .invalidCompression: JZ_FAILURE_INVALID_COMPRESSION
        case .outOfMemory: JZ_FAILURE_OUT_OF_MEMORY
        case .idleTimeout: JZ_FAILURE_IDLE_TIMEOUT
        case .transport: JZ_FAILURE_TRANSPORT
        }
    }
}

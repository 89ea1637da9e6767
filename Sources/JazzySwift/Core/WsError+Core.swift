import CJazzyPoll

extension WsError {
    /// The close code that is sent to the peer for this failure; 1006 if none can be sent.
    public var closeCode: WsCloseCode { jz_failure_close_code(rule.core) }
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

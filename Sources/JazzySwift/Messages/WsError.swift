/// Why a connection failed.
public struct WsError: Error, Equatable, Sendable {
    /// The rules that a peer can break, and failures of the server or of the network.
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
        /// A control frame may have at most 125 bytes (RFC 6455 §5.5).
        case controlTooLong
        /// A continuation frame came without a message to continue (RFC 6455 §5.4).
        case unexpectedContinuation
        /// A new message came before the previous one ended (RFC 6455 §5.4).
        case expectedContinuation
        /// Text, or a close reason, must be UTF-8 (RFC 6455 §8.1).
        case invalidUTF8
        /// A close frame cannot have a payload of one byte (RFC 6455 §5.5.1).
        case invalidCloseLength
        /// The close code may not be sent (RFC 6455 §7.4).
        case invalidCloseCode
        /// The message is larger than its route allows (RFC 6455 §7.4.1).
        case messageTooBig
        /// The message has more empty frames than ``JazzyOptions/maxFramesPerMessage`` allows.
        case tooManyFrames
        /// The compressed data does not inflate (RFC 7692 §7.2.2).
        case invalidCompression
        /// The server had no memory.
        case outOfMemory
        /// Nothing was received from the peer for the time that its route allows, not even a pong.
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
}

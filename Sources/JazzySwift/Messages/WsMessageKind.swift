/// The kind of a message: text, binary, or one of the two control frames that handlers see.
public enum WsMessageKind: Sendable {
    /// Text. Received text is always well-formed UTF-8.
    case text
    /// Any bytes.
    case binary
    /// A ping of at most 125 bytes. The server has answered it already.
    case ping
    /// A pong of at most 125 bytes.
    case pong
}

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

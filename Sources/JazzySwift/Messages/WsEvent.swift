/// Something that happened to a connection.
///
/// The events of one connection never overlap and keep this order: one ``open``, any number of ``message``, at most one
/// ``error(_:)``, exactly one ``close(_:)``.
public enum WsEvent: Equatable, Sendable {
    /// The handshake is complete: messages can be sent.
    case open
    /// A complete message was received. It is the handler's third argument.
    case message
    // In a box of its own, so that the event of every message fits a register.
    /// The connection ended. Nothing follows.
    indirect case close(WsClose)
    /// The connection failed. ``close(_:)`` follows.
    case error(WsError)
}

extension WsEvent {
    /// Whether both are equal. Written by hand and inlinable, because handlers compare events for every message.
    @inlinable
    public static func == (one: WsEvent, other: WsEvent) -> Bool {
        switch (one, other) {
        case (.open, .open), (.message, .message): true
        case (.close(let one), .close(let other)): one == other
        case (.error(let one), .error(let other)): one == other
        default: false
        }
    }
}

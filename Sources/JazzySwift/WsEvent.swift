/// Something that happened to a connection.
///
/// The events of one connection never overlap and keep this order: one ``open``, any number of ``message``, at most one
/// ``error(_:)``, exactly one ``close(_:)``.
public enum WsEvent: Equatable, Sendable {
    /// The handshake is done: messages can be sent.
    case open
    /// A message arrived, whole. It is the handler's third argument.
    case message
    /// The connection ended. Nothing follows.
    case close(WsClose)
    /// The connection failed. ``close(_:)`` follows.
    case error(WsError)
}

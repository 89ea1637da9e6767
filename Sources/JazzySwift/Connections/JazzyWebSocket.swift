import CJazzyPoll

/// A connection.
///
/// This is a plain value of 64 bits: copy it, compare it, keep it in a set, and use it from any thread. It is the same
/// in every event of the connection, and no two connections of the process ever have the same value. After the
/// connection is gone every call does nothing and returns ``JazzySendStatus/closed``.
///
/// No method calls a handler before it returns. The events that a call causes come later, so a handler may send to or
/// close any connection, its own included, and may do so while it holds a lock.
///
/// Its operations are in ``JazzyConnection``.
public struct JazzyWebSocket: JazzyConnection, Hashable, Sendable {
    @usableFromInline
    let value: UInt64

    init(_ core: jz_ws) {
        value = core.value
    }

    @inlinable
    var core: jz_ws { jz_ws(value: value) }

    /// The connection itself.
    @inlinable
    public var webSocket: JazzyWebSocket { self }
}

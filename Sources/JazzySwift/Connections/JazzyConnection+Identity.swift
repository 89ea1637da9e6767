extension JazzyConnection where Self: ~Escapable {
    /// A number for the connection, for logs and for messages, in all of its events and after its end.
    ///
    /// No two connections of a process ever have the same, whichever servers they belong to; those of other processes,
    /// or of this one after a restart, may. It is never 0, says nothing of order, and is no secret: peers may guess it.
    public var id: UInt64 { webSocket.value }

    /// The connection's ``id``, as in `connection 72339069015719937`.
    public var description: String { "connection \(id)" }
}

extension JazzyWebSocket: Identifiable, CustomStringConvertible {
    /// The type of ``JazzyConnection/id``.
    public typealias ID = UInt64
}

/// Called when something happens to a connection of a route.
///
/// It is called on the thread of the event loop that owns the connection, and must return soon, unless its route runs
/// on workers (``JazzyExecution``). It never waits for a message. If it throws, the error is logged, the connection is
/// closed with code 1011, and the server continues.
///
/// The message is borrowed for the call, and is empty for any other event than ``WsEvent/message``.
public typealias JazzyHandler =
    @Sendable (_ ws: JazzyWebSocket, _ event: WsEvent, _ message: borrowing WsMessage) throws -> Void

/// Called when something happens to the output of a connection: on the thread of the route's ``JazzyHandler``, in order
/// with its events, never at the same time, and with the same consequence if it throws.
public typealias JazzyOutputHandler = @Sendable (_ ws: JazzyWebSocket) throws -> Void

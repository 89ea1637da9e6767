/// Handles one connection of a route, from its open event to its end, in a task of its own.
///
/// ```swift
/// actor Room {
///     private var lines: [String] = []
///     func input(_ ws: JazzyWebSocket, _ line: String) {
///         lines.append(line)
///         ws.send("line \(lines.count): \(line)")
///     }
/// }
/// let room = Room()
///
/// Route.ws("/room") { ws, messages in
///     for try await message in messages where message.kind == .text {
///         await room.input(ws, message.text)
///     }
/// }
/// ```
///
/// Messages come in order, and what a handler awaits for one of them is done before it takes the next: so an actor gets
/// them in order, too. (In a ``JazzyHandler``, which is called, `Task { await room.input(…) }` keeps no order: see
/// <doc:Actors>.) While the handler is behind, reading from its connection pauses: see ``WsMessages``. Other
/// connections are not affected.
///
/// - If the handler returns while the connection is open, the connection is closed with code 1000.
/// - If it throws, the error is logged, as that of a ``JazzyHandler`` is, and the connection is closed with code 1011.
///   After the connection has ended an error is expected, and logged as ``JazzyLogLevel/debug`` only.
/// - When the connection ends, the task is cancelled. ``WsMessages/close`` says how it ended.
///
/// The task runs where tasks run, not on an event loop. A stop of the server ends connections, and so cancels these
/// tasks, but does not wait for them. In the whole task, ``JazzyConnection/parameters`` and
/// ``JazzyConnection/request`` are those of the connection. A ``JazzyUpgradeHook`` of such a route accepts without a
/// state; a ``JazzyAdmissionHook`` gives one: ``JazzyStatefulAsyncHandler``.
///
/// What it costs: a copy of the request's head, as long as the task lasts. A message is copied, and switches from the
/// event loop to a thread that runs tasks, and what is sent there is posted to the event loop. Measured with short texts
/// that are echoed, on one event loop, a message takes 1.5 to 3 times the processor time of one for a ``JazzyHandler`` if
/// each comes alone, and four to six times, 0.3 to 0.5 µs more, if hundreds come at once.
public typealias JazzyAsyncHandler = @Sendable (_ ws: JazzyWebSocket, _ messages: WsMessages) async throws -> Void

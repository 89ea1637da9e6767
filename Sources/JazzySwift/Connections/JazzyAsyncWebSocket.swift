/// A connection with a state, of a route that handles each of its connections in a task: a plain value, to be used in
/// any task and on any thread.
public struct JazzyAsyncWebSocket<State: Sendable>: JazzyConnection, Sendable {
    /// The handle of the connection: to keep, to compare, and to use on any thread.
    public let webSocket: JazzyWebSocket

    /// The state that the route's upgrade hook gave to the connection. What changes is in variables of the handler, or
    /// in an actor that the state refers to.
    public let state: State

    /// Creates one, for instance to test a handler.
    public init(_ webSocket: JazzyWebSocket, state: State) {
        self.webSocket = webSocket
        self.state = state
    }
}

/// Handles one connection of a route whose upgrade hook gives each connection a state, in a task of its own.
///
/// ```swift
/// struct Seat: Sendable { let room: String }
///
/// Route.ws("/room/:id", state: Seat.self, upgrade: { request in
///     guard let room = request.parameters["id"], room.count < 30 else { return .reject(404) }
///     return .accept(Seat(room: room))
/// }) { ws, messages in
///     ws.subscribe(ws.state.room)
///     for try await message in messages where message.kind == .text {
///         ws.publish(ws.state.room, message.text)
///     }
/// }
/// ```
///
/// In all else it is a ``JazzyAsyncHandler``.
public typealias JazzyStatefulAsyncHandler<State: Sendable> =
    @Sendable (_ ws: JazzyAsyncWebSocket<State>, _ messages: WsMessages) async throws -> Void

/// The box of a state from an upgrade hook, until a task has it.
final class GivenStateBox<State: Sendable>: GivenState {
    let value: State

    init(_ value: State) {
        self.value = value
    }
}

protocol GivenState: AnyObject, Sendable {}

/// A connection of a route that gives each of its connections a state, lent to a handler for the length of its call.
///
/// ```swift
/// struct Player { var name = "nobody"; var score = 0 }
///
/// Route.ws("/game", state: { Player() }) { ws, event, message in
///     guard event == .message, message.kind == .text else { return }
///     ws.state.score += 1
///     ws.publish("game", "\(ws.state.name) has \(ws.state.score) points")
/// }
/// ```
///
/// It cannot leave the call; its handle, ``webSocket``, can.
public struct JazzyStatefulWebSocket<State>: JazzyConnection, ~Escapable {
    /// The handle of the connection: to keep, to compare, and to use on any thread.
    public let webSocket: JazzyWebSocket

    @usableFromInline
    let kept: RouteStateBox<State>

    @_lifetime(borrow kept)
    init(_ webSocket: JazzyWebSocket, _ kept: borrowing RouteStateBox<State>) {
        self.webSocket = webSocket
        self.kept = copy kept
    }

    /// The state of the connection: created before its open event, released once, after its close event.
    ///
    /// It is found without a dictionary and used without a lock: only the handlers of the connection see it, and they
    /// never overlap.
    @inlinable
    public var state: State {
        get { kept.value }
        nonmutating _modify { yield &kept.value }
    }
}

/// Called when something happens to a connection of a route that gives its connections a state. See ``JazzyHandler``.
public typealias JazzyStatefulHandler<State> =
    @Sendable (
        _ ws: borrowing JazzyStatefulWebSocket<State>, _ event: WsEvent, _ message: borrowing WsMessage
    ) throws -> Void

/// Called when something happens to the output of a connection of a route that gives its connections a state. See
/// ``JazzyOutputHandler``.
public typealias JazzyStatefulOutputHandler<State> =
    @Sendable (_ ws: borrowing JazzyStatefulWebSocket<State>) throws -> Void

/// What a route keeps a state in. Not the box of `setState`: with that, `withState` could take from a state, as its
/// own, what the handler that is running refers to.
@usableFromInline
final class RouteStateBox<State>: RouteState {
    @usableFromInline
    var value: State

    init(_ value: sending State) {
        self.value = value
    }

    /// That of a connection, where this thread may use it.
    static func of(_ ws: JazzyWebSocket) -> RouteStateBox? { ws.stateObject as? RouteStateBox }

    /// For a state that an upgrade hook gives; `nil` where it is of another type.
    static func keeping(_ state: any Sendable) -> RouteStateBox? {
        guard let state = state as? State else { return nil }
        return RouteStateBox(state)
    }
}

protocol RouteState: AnyObject {}

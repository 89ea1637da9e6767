/// A connection with a state, of a route that gives each of its connections one. Borrowed by a handler for one call.
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
    /// Access needs no dictionary and no lock: only the handlers of the connection see it, and they never overlap.
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

/// The box in which a route keeps a state. Not the box of `setState`: with that, `withState` could access a state while
/// the running handler uses it, too.
@usableFromInline
final class RouteStateBox<State>: RouteState {
    @usableFromInline
    var value: State

    init(_ value: sending State) {
        self.value = value
    }

    /// The box of a connection, if this thread may use it.
    static func of(_ ws: JazzyWebSocket) -> RouteStateBox? { ws.stateObject as? RouteStateBox }

    /// For a state from an upgrade hook; `nil` if it has another type.
    static func keeping(_ state: any Sendable) -> RouteStateBox? {
        guard let state = state as? State else { return nil }
        return RouteStateBox(state)
    }
}

protocol RouteState: AnyObject {}

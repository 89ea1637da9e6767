import CJazzyPoll

/// What keeps the state of a connection. The core has one reference to it, and gives it back once.
///
/// `value` is guarded by the core, which lends the box to one thread at a time: the one that runs a handler.
private final class StateBox<State> {
    nonisolated(unsafe) var value: State

    init(_ value: sending State) {
        self.value = value
    }

    func withValue<Result: Sendable, Failure: Error>(
        _ body: (inout sending State) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(&value)
    }
}

/// An object that keeps a value of any type where `withState` finds it.
func keptState<State: Sendable>(_ state: State) -> AnyObject { StateBox(state) }

// Not a property of the handle: the type of a state is the user's, and a handle, which anybody may keep and use
// anywhere, can neither name it nor promise that the state is there. Where the route knows its type, it is one: see
// `JazzyStatefulWebSocket.state`.
extension JazzyWebSocket {
    /// Gives the connection a value to keep: until another is set, or until after its close event.
    ///
    /// ```swift
    /// Route.ws("/count") { ws, event, message in
    ///     if event == .open { ws.setState(0) }
    ///     guard event == .message, message.kind == .text else { return }
    ///     let count = ws.withState(as: Int.self) { count in
    ///         count += 1
    ///         return count
    ///     }
    ///     ws.send("Message number \(count ?? 0)")
    /// }
    /// ```
    ///
    /// Where every connection of a route has a state, `ws("/count", state:)` is simpler.
    ///
    /// The value is found by the handle, without a dictionary and without a lock. It can be set and used in the
    /// handlers of the connection itself and, unless its route runs on workers, in any handler on its event loop.
    ///
    /// - Parameter value: Of any type. What was set before is released.
    /// - Returns: Whether the connection has it now. It has not elsewhere than in those handlers, after the close
    ///   event, and where the route gives its connections their state.
    @discardableResult
    public func setState<State>(_ value: sending State) -> Bool {
        let former = stateObject
        guard !(former is any RouteState) else { return false }
        return replaceState(former, with: StateBox(value))
    }

    /// Calls `body` with the value that ``setState(_:)`` gave to the connection.
    ///
    /// - Parameters:
    ///   - type: The type of the value.
    ///   - body: May change the value, and return what is `Sendable`: no part of it that other connections or threads
    ///     could change at the same time gets out. It must not ask for the state of the same connection again.
    /// - Returns: What `body` returns; `nil` without calling it where there is no value, or one of another type, and
    ///   elsewhere than in those handlers that ``setState(_:)`` names.
    /// - Throws: What `body` throws.
    @discardableResult
    public func withState<State, Result: Sendable, Failure: Error>(
        as type: State.Type = State.self, _ body: (inout sending State) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard let box = stateObject as? StateBox<State> else { return nil }
        return try box.withValue(body)
    }

    /// The object that keeps the connection's state, where this thread may use it.
    var stateObject: AnyObject? {
        jz_ws_state(core).map { Unmanaged<AnyObject>.fromOpaque($0).takeUnretainedValue() }
    }

    func replaceState(_ former: AnyObject?, with object: AnyObject) -> Bool {
        let kept = Unmanaged.passRetained(object)
        guard jz_ws_set_state(core, kept.toOpaque()) else {
            kept.release()
            return false
        }
        if let former { Unmanaged.passUnretained(former).release() }
        return true
    }
}

/// For every route: the core calls it for connections with a state only.
let releaseState: @convention(c) (UnsafeMutableRawPointer?) -> Void = { state in
    if let state { Unmanaged<AnyObject>.fromOpaque(state).release() }
}

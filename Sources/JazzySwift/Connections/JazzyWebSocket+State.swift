import CJazzyPoll

/// Keeps the state of a connection. The core has one reference to it, and releases it once.
///
/// The core guards `value`: it gives the box to one thread at a time, the one that runs a handler.
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

/// An object that keeps a value of any type for `withState`.
func keptState<State: Sendable>(_ state: State) -> AnyObject { StateBox(state) }

// Not a property of the handle: the application chooses the type of the state, and a handle, which may be used
// anywhere, can neither name that type nor guarantee that the state exists. If the route knows the type, there is a
// property: see `JazzyStatefulWebSocket.state`.
extension JazzyWebSocket {
    /// Gives the connection a value, which it keeps until another is set, or until after its close event.
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
    /// If every connection of a route has a state, `ws("/count", state:)` is simpler.
    ///
    /// Access needs no dictionary and no lock. The value can be set and used in the handlers of the connection itself
    /// and, unless its route runs on workers, in any handler on its event loop.
    ///
    /// - Parameter value: A value of any type. The previous one is released.
    /// - Returns: Whether the connection has it now. `false` outside of those handlers, after the close event, and if
    ///   the route gives its connections their state.
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
    ///   - body: May change the value, and return something `Sendable`, so that nothing gets out that other threads
    ///     could change at the same time. It must not access the state of the same connection again.
    /// - Returns: What `body` returns; `nil`, without calling it, if there is no value of this type, and outside of the
    ///   handlers that ``setState(_:)`` names.
    /// - Throws: What `body` throws.
    @discardableResult
    public func withState<State, Result: Sendable, Failure: Error>(
        as type: State.Type = State.self, _ body: (inout sending State) throws(Failure) -> Result
    ) throws(Failure) -> Result? {
        guard let box = stateObject as? StateBox<State> else { return nil }
        return try box.withValue(body)
    }

    /// The object that keeps the connection's state, if this thread may use it.
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

/// For every route. The core calls it only for connections with a state.
let releaseState: @convention(c) (UnsafeMutableRawPointer?) -> Void = { state in
    if let state { Unmanaged<AnyObject>.fromOpaque(state).release() }
}

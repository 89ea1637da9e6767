extension JazzyServer {
    /// Registers a WebSocket route whose upgrade hook gives each of its connections a state: `ws.state`.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query. In
    ///     `/room/:id` the segment `:id` is a parameter: it matches any one non-empty segment, and is in
    ///     ``JazzyRequest/parameters``. Paths without parameters are tried first.
    ///   - options: The options of the route.
    ///   - state: The type of the state. It can be left out if the hook's closure names it: `request ->
    ///     JazzyAdmission<Seat> in`.
    ///   - upgrade: Decides which clients are let in, and gives each its state.
    ///   - onDrain: Called when the unsent output of a connection has fallen to half of its backpressure limit, after
    ///     it was above.
    ///   - onDrop: Called when one or several messages for a connection were dropped, once until its output has
    ///     drained. It requires the policy ``JazzyBackpressurePolicy/report``.
    ///   - handler: Called when something happens to a connection of the route.
    public func ws<State>(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), state: State.Type = State.self,
        upgrade: @escaping JazzyAdmissionHook<State>,
        onDrain: JazzyStatefulOutputHandler<State>? = nil, onDrop: JazzyStatefulOutputHandler<State>? = nil,
        _ handler: @escaping JazzyStatefulHandler<State>
    ) {
        var closures = RouteClosures(
            handler: withState(handler), upgrade: nil, onDrain: onDrain.map(withState), onDrop: onDrop.map(withState))
        closures.admission = deciding(upgrade) { RouteStateBox($0) }
        add(WebSocketRoute(path: path, options: options, closures: closures))
    }
}

extension JazzyServer {
    /// Registers a WebSocket route whose upgrade hook gives each of its connections a state, `ws.state`, and that
    /// handles each in a task of its own.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query. In
    ///     `/room/:id` the segment `:id` is a parameter: it matches any one non-empty segment, and is in
    ///     ``JazzyRequest/parameters``. Paths without parameters are tried first.
    ///   - options: The options of the route.
    ///   - state: The type of the state. It can be left out if the hook's closure names it: `request ->
    ///     JazzyAdmission<Seat> in`.
    ///   - upgrade: Decides which clients are let in, and gives each its state.
    ///   - onDrain: Called when the unsent output of a connection has fallen to half of its backpressure limit, after
    ///     it was above.
    ///   - onDrop: Called when one or several messages for a connection were dropped, once until its output has
    ///     drained. It requires the policy ``JazzyBackpressurePolicy/report``.
    ///   - handler: Handles one connection: it gets the messages in order, and may await anything.
    public func ws<State: Sendable>(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), state: State.Type = State.self,
        upgrade: @escaping JazzyAdmissionHook<State>,
        onDrain: JazzyOutputHandler? = nil, onDrop: JazzyOutputHandler? = nil,
        _ handler: @escaping JazzyStatefulAsyncHandler<State>
    ) {
        var closures = RouteClosures(handler: { _, _, _ in }, upgrade: nil, onDrain: onDrain, onDrop: onDrop)
        closures.admission = deciding(upgrade) { GivenStateBox($0) }
        closures.asynchronous = { ws, messages in
            guard let given = messages.inbox.given as? GivenStateBox<State> else { return }
            try await handler(JazzyAsyncWebSocket(ws, state: given.value), messages)
        }
        add(WebSocketRoute(path: path, options: options, closures: closures))
    }
}

/// The hook as the core's callbacks call it. `keep` puts a state into the object that the connection keeps.
private func deciding<State>(
    _ hook: @escaping JazzyAdmissionHook<State>, keep: @escaping @Sendable (sending State) -> sending AnyObject
) -> UpgradeDecider {
    { request in
        let admission = try await hook(request)
        let upgrade = admission.upgrade
        guard let state = admission.state else { return UpgradeDecision(upgrade: upgrade) }
        return UpgradeDecision(upgrade: upgrade, kept: keep(state))
    }
}

extension Route {
    /// Registers a WebSocket route whose upgrade hook gives each of its connections a state: `ws.state`.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query. In
    ///     `/room/:id` the segment `:id` is a parameter: it matches any one non-empty segment, and is in
    ///     ``JazzyRequest/parameters``. Paths without parameters are tried first.
    ///   - options: The options of the route.
    ///   - state: The type of the state. It can be left out if the hook's closure names it: `request ->
    ///     JazzyAdmission<Seat> in`.
    ///   - upgrade: Decides which clients are let in, and gives each its state.
    ///   - onDrain: Called when the unsent output of a connection has fallen to half of its backpressure limit, after
    ///     it was above.
    ///   - onDrop: Called when one or several messages for a connection were dropped, once until its output has
    ///     drained. It requires the policy ``JazzyBackpressurePolicy/report``.
    ///   - handler: Called when something happens to a connection of the route.
    public static func ws<State>(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), state: State.Type = State.self,
        upgrade: @escaping JazzyAdmissionHook<State>,
        onDrain: JazzyStatefulOutputHandler<State>? = nil, onDrop: JazzyStatefulOutputHandler<State>? = nil,
        _ handler: @escaping JazzyStatefulHandler<State>
    ) {
        Jazzy.server.ws(
            path, options: options, state: state, upgrade: upgrade, onDrain: onDrain, onDrop: onDrop, handler)
    }
}

extension Route {
    /// Registers a WebSocket route whose upgrade hook gives each of its connections a state, `ws.state`, and that
    /// handles each in a task of its own.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query. In
    ///     `/room/:id` the segment `:id` is a parameter: it matches any one non-empty segment, and is in
    ///     ``JazzyRequest/parameters``. Paths without parameters are tried first.
    ///   - options: The options of the route.
    ///   - state: The type of the state. It can be left out if the hook's closure names it: `request ->
    ///     JazzyAdmission<Seat> in`.
    ///   - upgrade: Decides which clients are let in, and gives each its state.
    ///   - onDrain: Called when the unsent output of a connection has fallen to half of its backpressure limit, after
    ///     it was above.
    ///   - onDrop: Called when one or several messages for a connection were dropped, once until its output has
    ///     drained. It requires the policy ``JazzyBackpressurePolicy/report``.
    ///   - handler: Handles one connection: it gets the messages in order, and may await anything.
    public static func ws<State: Sendable>(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), state: State.Type = State.self,
        upgrade: @escaping JazzyAdmissionHook<State>,
        onDrain: JazzyOutputHandler? = nil, onDrop: JazzyOutputHandler? = nil,
        _ handler: @escaping JazzyStatefulAsyncHandler<State>
    ) {
        Jazzy.server.ws(
            path, options: options, state: state, upgrade: upgrade, onDrain: onDrain, onDrop: onDrop, handler)
    }
}

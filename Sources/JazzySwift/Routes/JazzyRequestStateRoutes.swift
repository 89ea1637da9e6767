extension JazzyServer {
    /// Registers a WebSocket route that makes a state for each of its connections from the connection's request.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query. In
    ///     `/room/:id` the segment `:id` is a parameter: it matches any one non-empty segment, and is in
    ///     ``JazzyRequest/parameters``. Paths without parameters are tried first.
    ///   - options: The options of the route.
    ///   - upgrade: Decides which clients are let in; `nil` lets in all that ``JazzyRouteOptions/origins`` allows.
    ///   - state: Creates the state of a connection. Called before its open event, on the thread of the handler, unless
    ///     the upgrade hook gave the connection a state. If there is no memory for the request, this is logged, and the
    ///     connection is closed with code 1011.
    ///   - onDrain: Called when the unsent output of a connection has fallen to half of its backpressure limit, after
    ///     it was above.
    ///   - onDrop: Called when one or several messages for a connection were dropped, once until its output has
    ///     drained. It requires the policy ``JazzyBackpressurePolicy/report``.
    ///   - handler: Called when something happens to a connection of the route.
    public func ws<State>(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), upgrade: JazzyUpgradeHook? = nil,
        state: @escaping @Sendable (_ request: JazzyRequest) -> sending State,
        onDrain: JazzyStatefulOutputHandler<State>? = nil, onDrop: JazzyStatefulOutputHandler<State>? = nil,
        _ handler: @escaping JazzyStatefulHandler<State>
    ) {
        let closures = RouteClosures(
            handler: makingState(
                { ws in
                    guard let request = ws.request else {
                        throw JazzyError(.outOfMemory, "there is no memory for the request of a connection")
                    }
                    return state(request)
                }, handler),
            upgrade: upgrade, onDrain: onDrain.map(withState), onDrop: onDrop.map(withState),
            keepState: { RouteStateBox<State>.keeping($0) })
        add(WebSocketRoute(path: path, options: options, closures: closures))
    }
}

extension Route {
    /// Registers a WebSocket route that makes a state for each of its connections from the connection's request.
    ///
    /// ```swift
    /// struct Seat { let room: String; var lines = 0 }
    ///
    /// Route.ws("/room/:id", state: { Seat(room: $0.parameters["id"] ?? "lobby") }) { ws, event, message in
    ///     if event == .open { ws.subscribe(ws.state.room) }
    ///     if event == .message, message.kind == .text { ws.state.lines += 1 }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query. In
    ///     `/room/:id` the segment `:id` is a parameter: it matches any one non-empty segment, and is in
    ///     ``JazzyRequest/parameters``. Paths without parameters are tried first.
    ///   - options: The options of the route.
    ///   - upgrade: Decides which clients are let in; `nil` lets in all that ``JazzyRouteOptions/origins`` allows.
    ///   - state: Creates the state of a connection. Called before its open event, on the thread of the handler, unless
    ///     the upgrade hook gave the connection a state. If there is no memory for the request, this is logged, and the
    ///     connection is closed with code 1011.
    ///   - onDrain: Called when the unsent output of a connection has fallen to half of its backpressure limit, after
    ///     it was above.
    ///   - onDrop: Called when one or several messages for a connection were dropped, once until its output has
    ///     drained. It requires the policy ``JazzyBackpressurePolicy/report``.
    ///   - handler: Called when something happens to a connection of the route.
    public static func ws<State>(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), upgrade: JazzyUpgradeHook? = nil,
        state: @escaping @Sendable (_ request: JazzyRequest) -> sending State,
        onDrain: JazzyStatefulOutputHandler<State>? = nil, onDrop: JazzyStatefulOutputHandler<State>? = nil,
        _ handler: @escaping JazzyStatefulHandler<State>
    ) {
        Jazzy.server.ws(
            path, options: options, upgrade: upgrade, state: state, onDrain: onDrain, onDrop: onDrop, handler)
    }
}

extension JazzyServer {
    /// Registers a WebSocket route that gives each of its connections a state, which its handler has as `ws.state`.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query. In
    ///     `/room/:id` the segment `:id` is a parameter: it takes any one segment that is not empty, and is in
    ///     ``JazzyRequest/parameters``. A path without parameters goes before one that matches with them.
    ///   - options: What can be chosen about the route.
    ///   - upgrade: Decides who is let in; `nil` lets in everybody that ``JazzyRouteOptions/origins`` allows.
    ///   - state: Called for each connection, before its open event, where the handler runs, unless the upgrade hook
    ///     gave it a state.
    ///   - onDrain: Called when the unsent output of a connection has fallen below half of its backpressure limit,
    ///     after it had been above.
    ///   - onDrop: Called when a message for a connection, or several, were dropped, once until its output has drained.
    ///     It takes the policy ``JazzyBackpressurePolicy/report``.
    ///   - handler: Called when something happens to a connection of the route.
    public func ws<State>(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), upgrade: JazzyUpgradeHook? = nil,
        state: @escaping @Sendable () -> sending State, onDrain: JazzyStatefulOutputHandler<State>? = nil,
        onDrop: JazzyStatefulOutputHandler<State>? = nil, _ handler: @escaping JazzyStatefulHandler<State>
    ) {
        let closures = RouteClosures(
            handler: { ws, event, message in
                if event == .open, ws.stateObject == nil { _ = ws.replaceState(nil, with: RouteStateBox(state())) }
                guard let kept = RouteStateBox<State>.of(ws) else { return }
                try handler(JazzyStatefulWebSocket(ws, kept), event, message)
            },
            upgrade: upgrade, onDrain: onDrain.map(withState), onDrop: onDrop.map(withState),
            keepState: { RouteStateBox<State>.keeping($0) })
        add(WebSocketRoute(path: path, options: options, closures: closures))
    }
}

private func withState<State>(_ handler: @escaping JazzyStatefulOutputHandler<State>) -> JazzyOutputHandler {
    { ws in
        guard let kept = RouteStateBox<State>.of(ws) else { return }
        try handler(JazzyStatefulWebSocket(ws, kept))
    }
}

extension Route {
    /// Registers a WebSocket route that gives each of its connections a state, which its handler has as `ws.state`.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query. In
    ///     `/room/:id` the segment `:id` is a parameter: it takes any one segment that is not empty, and is in
    ///     ``JazzyRequest/parameters``. A path without parameters goes before one that matches with them.
    ///   - options: What can be chosen about the route.
    ///   - upgrade: Decides who is let in; `nil` lets in everybody that ``JazzyRouteOptions/origins`` allows.
    ///   - state: Called for each connection, before its open event, where the handler runs, unless the upgrade hook
    ///     gave it a state.
    ///   - onDrain: Called when the unsent output of a connection has fallen below half of its backpressure limit,
    ///     after it had been above.
    ///   - onDrop: Called when a message for a connection, or several, were dropped, once until its output has drained.
    ///     It takes the policy ``JazzyBackpressurePolicy/report``.
    ///   - handler: Called when something happens to a connection of the route.
    public static func ws<State>(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), upgrade: JazzyUpgradeHook? = nil,
        state: @escaping @Sendable () -> sending State, onDrain: JazzyStatefulOutputHandler<State>? = nil,
        onDrop: JazzyStatefulOutputHandler<State>? = nil, _ handler: @escaping JazzyStatefulHandler<State>
    ) {
        Jazzy.server.ws(
            path, options: options, upgrade: upgrade, state: state, onDrain: onDrain, onDrop: onDrop, handler)
    }
}

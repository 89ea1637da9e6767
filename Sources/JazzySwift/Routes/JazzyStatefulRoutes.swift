extension JazzyServer {
    /// Registers a WebSocket route that gives each of its connections a state, `ws.state` in its handlers.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query. In
    ///     `/room/:id` the segment `:id` is a parameter: it matches any one non-empty segment, and is in
    ///     ``JazzyRequest/parameters``. In `/files/*rest` the last segment is a catch-all: it matches one or more,
    ///     and is there, too. Paths without parameters are tried first, and those with a catch-all last.
    ///   - options: The options of the route.
    ///   - upgrade: Decides which clients are let in; `nil` lets in all that ``JazzyRouteOptions/origins`` allows.
    ///   - state: Creates the state of a connection. Called before its open event, on the thread of the handler, unless
    ///     the upgrade hook gave the connection a state.
    ///   - onDrain: Called when the unsent output of a connection has fallen to half of its backpressure limit, after
    ///     it was above.
    ///   - onDrop: Called when one or several messages for a connection were dropped, once until its output has
    ///     drained. It requires the policy ``JazzyBackpressurePolicy/report``.
    ///   - handler: Called when something happens to a connection of the route.
    public func ws<State>(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), upgrade: JazzyUpgradeHook? = nil,
        state: @escaping @Sendable () -> sending State, onDrain: JazzyStatefulOutputHandler<State>? = nil,
        onDrop: JazzyStatefulOutputHandler<State>? = nil, _ handler: @escaping JazzyStatefulHandler<State>
    ) {
        let closures = RouteClosures(
            handler: makingState({ _ in state() }, handler),
            upgrade: upgrade, onDrain: onDrain.map(withState), onDrop: onDrop.map(withState),
            keepState: { RouteStateBox<State>.keeping($0) })
        add(WebSocketRoute(path: path, options: options, closures: closures))
    }
}

/// The handler of a route that makes the states of its connections, if their upgrade hook gave them none.
func makingState<State>(
    _ make: @escaping @Sendable (JazzyWebSocket) throws -> sending State,
    _ handler: @escaping JazzyStatefulHandler<State>
) -> JazzyHandler {
    { ws, event, message in
        if event == .open, ws.stateObject == nil { _ = ws.replaceState(nil, with: RouteStateBox(try make(ws))) }
        guard let kept = RouteStateBox<State>.of(ws) else { return }
        try handler(JazzyStatefulWebSocket(ws, kept), event, message)
    }
}

/// The handler of a route whose upgrade hook gives each connection its state.
func withState<State>(_ handler: @escaping JazzyStatefulHandler<State>) -> JazzyHandler {
    { ws, event, message in
        guard let kept = RouteStateBox<State>.of(ws) else { return }
        try handler(JazzyStatefulWebSocket(ws, kept), event, message)
    }
}

func withState<State>(_ handler: @escaping JazzyStatefulOutputHandler<State>) -> JazzyOutputHandler {
    { ws in
        guard let kept = RouteStateBox<State>.of(ws) else { return }
        try handler(JazzyStatefulWebSocket(ws, kept))
    }
}

extension Route {
    /// Registers a WebSocket route that gives each of its connections a state, `ws.state` in its handlers.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query. In
    ///     `/room/:id` the segment `:id` is a parameter: it matches any one non-empty segment, and is in
    ///     ``JazzyRequest/parameters``. In `/files/*rest` the last segment is a catch-all: it matches one or more,
    ///     and is there, too. Paths without parameters are tried first, and those with a catch-all last.
    ///   - options: The options of the route.
    ///   - upgrade: Decides which clients are let in; `nil` lets in all that ``JazzyRouteOptions/origins`` allows.
    ///   - state: Creates the state of a connection. Called before its open event, on the thread of the handler, unless
    ///     the upgrade hook gave the connection a state.
    ///   - onDrain: Called when the unsent output of a connection has fallen to half of its backpressure limit, after
    ///     it was above.
    ///   - onDrop: Called when one or several messages for a connection were dropped, once until its output has
    ///     drained. It requires the policy ``JazzyBackpressurePolicy/report``.
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

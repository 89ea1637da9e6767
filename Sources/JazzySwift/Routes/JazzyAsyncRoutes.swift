extension JazzyServer {
    /// Registers a WebSocket route that handles each of its connections in a task of its own.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query. In
    ///     `/room/:id` the segment `:id` is a parameter: it matches any one non-empty segment, and is in
    ///     ``JazzyRequest/parameters``. In `/files/*rest` the last segment is a catch-all: it matches one or more,
    ///     and is there, too. Paths without parameters are tried first, and those with a catch-all last.
    ///   - options: The options of the route.
    ///   - upgrade: Decides which clients are let in; `nil` lets in all that ``JazzyRouteOptions/origins`` allows.
    ///   - onDrain: Called when the unsent output of a connection has fallen to half of its backpressure limit, after
    ///     it was above.
    ///   - onDrop: Called when one or several messages for a connection were dropped, once until its output has
    ///     drained. It requires the policy ``JazzyBackpressurePolicy/report``.
    ///   - handler: Handles one connection: it gets the messages in order, and may await anything.
    public func ws(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), upgrade: JazzyUpgradeHook? = nil,
        onDrain: JazzyOutputHandler? = nil, onDrop: JazzyOutputHandler? = nil, _ handler: @escaping JazzyAsyncHandler
    ) {
        let closures = RouteClosures(
            handler: { _, _, _ in }, upgrade: upgrade, onDrain: onDrain, onDrop: onDrop, keepState: { _ in nil },
            asynchronous: handler)
        add(WebSocketRoute(path: path, options: options, closures: closures))
    }
}

extension Route {
    /// Registers a WebSocket route that handles each of its connections in a task of its own.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query. In
    ///     `/room/:id` the segment `:id` is a parameter: it matches any one non-empty segment, and is in
    ///     ``JazzyRequest/parameters``. In `/files/*rest` the last segment is a catch-all: it matches one or more,
    ///     and is there, too. Paths without parameters are tried first, and those with a catch-all last.
    ///   - options: The options of the route.
    ///   - upgrade: Decides which clients are let in; `nil` lets in all that ``JazzyRouteOptions/origins`` allows.
    ///   - onDrain: Called when the unsent output of a connection has fallen to half of its backpressure limit, after
    ///     it was above.
    ///   - onDrop: Called when one or several messages for a connection were dropped, once until its output has
    ///     drained. It requires the policy ``JazzyBackpressurePolicy/report``.
    ///   - handler: Handles one connection: it gets the messages in order, and may await anything.
    public static func ws(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), upgrade: JazzyUpgradeHook? = nil,
        onDrain: JazzyOutputHandler? = nil, onDrop: JazzyOutputHandler? = nil, _ handler: @escaping JazzyAsyncHandler
    ) {
        Jazzy.server.ws(path, options: options, upgrade: upgrade, onDrain: onDrain, onDrop: onDrop, handler)
    }
}

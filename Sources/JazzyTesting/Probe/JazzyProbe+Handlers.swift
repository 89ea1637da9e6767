import JazzySwift

// A handler alone, with a server that has only its route.
extension JazzyProbe {
    /// Creates a client of a handler that is called.
    ///
    /// - Parameters:
    ///   - path: The path of the request, and its query if there is one, as in `/room/7?from=3`.
    ///   - headers: Headers of the request. Those of a handshake are added.
    ///   - route: The path of the route, as in `/room/:id`; `nil`: that of the request.
    ///   - options: The options of the route.
    ///   - serverOptions: The options of the server, which has one event loop whatever they say.
    ///   - upgrade: Decides whether the client is let in.
    ///   - onDrain: Called when the unsent output has fallen to half of the backpressure limit, after it was above.
    ///   - onDrop: Called when messages were dropped. It requires the policy `JazzyBackpressurePolicy.report`.
    ///   - timeLimit: How long to wait for anything. The default is 10 s.
    ///   - handler: The handler.
    public convenience init(
        path: String = "/", headers: JazzyHeaders = [:], route: String? = nil,
        options: JazzyRouteOptions = JazzyRouteOptions(), serverOptions: JazzyOptions = JazzyOptions(),
        upgrade: JazzyUpgradeHook? = nil, onDrain: JazzyOutputHandler? = nil, onDrop: JazzyOutputHandler? = nil,
        timeLimit: Duration = .seconds(10), _ handler: @escaping JazzyHandler
    ) {
        let server = JazzyServer(options: serverOptions)
        server.ws(
            route ?? path.withoutQuery, options: options, upgrade: upgrade, onDrain: onDrain, onDrop: onDrop, handler)
        self.init(server, path, headers: headers, timeLimit: timeLimit)
    }

    /// Creates a client of a handler that gives its connections a state.
    ///
    /// - Parameters:
    ///   - path: The path of the request, and its query if there is one, as in `/room/7?from=3`.
    ///   - headers: Headers of the request. Those of a handshake are added.
    ///   - route: The path of the route, as in `/room/:id`; `nil`: that of the request.
    ///   - options: The options of the route.
    ///   - serverOptions: The options of the server, which has one event loop whatever they say.
    ///   - upgrade: Decides whether the client is let in.
    ///   - state: Creates the state of a connection.
    ///   - onDrain: Called when the unsent output has fallen to half of the backpressure limit, after it was above.
    ///   - onDrop: Called when messages were dropped. It requires the policy `JazzyBackpressurePolicy.report`.
    ///   - timeLimit: How long to wait for anything. The default is 10 s.
    ///   - handler: The handler.
    public convenience init<State>(
        path: String = "/", headers: JazzyHeaders = [:], route: String? = nil,
        options: JazzyRouteOptions = JazzyRouteOptions(), serverOptions: JazzyOptions = JazzyOptions(),
        upgrade: JazzyUpgradeHook? = nil, state: @escaping @Sendable () -> sending State,
        onDrain: JazzyStatefulOutputHandler<State>? = nil, onDrop: JazzyStatefulOutputHandler<State>? = nil,
        timeLimit: Duration = .seconds(10), _ handler: @escaping JazzyStatefulHandler<State>
    ) {
        let server = JazzyServer(options: serverOptions)
        server.ws(
            route ?? path.withoutQuery, options: options, upgrade: upgrade, state: state, onDrain: onDrain,
            onDrop: onDrop, handler)
        self.init(server, path, headers: headers, timeLimit: timeLimit)
    }

    /// Creates a client of a handler that is a task.
    ///
    /// - Parameters:
    ///   - path: The path of the request, and its query if there is one, as in `/room/7?from=3`.
    ///   - headers: Headers of the request. Those of a handshake are added.
    ///   - route: The path of the route, as in `/room/:id`; `nil`: that of the request.
    ///   - options: The options of the route.
    ///   - serverOptions: The options of the server, which has one event loop whatever they say.
    ///   - upgrade: Decides whether the client is let in.
    ///   - onDrain: Called when the unsent output has fallen to half of the backpressure limit, after it was above.
    ///   - onDrop: Called when messages were dropped. It requires the policy `JazzyBackpressurePolicy.report`.
    ///   - timeLimit: How long to wait for anything. The default is 10 s.
    ///   - handler: The handler.
    public convenience init(
        path: String = "/", headers: JazzyHeaders = [:], route: String? = nil,
        options: JazzyRouteOptions = JazzyRouteOptions(), serverOptions: JazzyOptions = JazzyOptions(),
        upgrade: JazzyUpgradeHook? = nil, onDrain: JazzyOutputHandler? = nil, onDrop: JazzyOutputHandler? = nil,
        timeLimit: Duration = .seconds(10), _ handler: @escaping JazzyAsyncHandler
    ) {
        let server = JazzyServer(options: serverOptions)
        server.ws(
            route ?? path.withoutQuery, options: options, upgrade: upgrade, onDrain: onDrain, onDrop: onDrop, handler)
        self.init(server, path, headers: headers, timeLimit: timeLimit)
    }
}

extension String {
    fileprivate var withoutQuery: String { String(prefix { $0 != "?" }) }
}

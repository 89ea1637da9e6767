import Synchronization

/// A WebSocket server, with its own routes and its own port. Any number can live side by side in one process.
///
/// ```swift
/// let server = JazzyServer()
/// server.ws("/echo") { ws, event, message in
///     if event == .message, message.kind == .text { ws.send(message.text) }
/// }
/// try server.start(port: 0)
/// print("listening on port \(server.port)")
/// ```
///
/// Set-up does not throw where it is written: what is wrong with an option or a route is thrown when the server is to
/// listen. Every method may be called from any thread. A server that has stopped may be started again.
///
/// A server that is no longer referenced is stopped and waited for. It keeps its handlers, so a handler that uses its
/// own server should capture it weakly.
public final class JazzyServer: Sendable {
    let options: JazzyOptions
    private let state = Mutex(State())

    private struct State {
        var routes: [any JazzyRoute] = []
        var phase = Phase.idle
    }

    private enum Phase {
        case idle
        case listening(CoreServer)
        case running(CoreServer)

        var core: CoreServer? {
            switch self {
            case .idle: nil
            case .listening(let core), .running(let core): core
            }
        }
    }

    /// Creates a server without routes.
    public init(options: JazzyOptions = JazzyOptions()) {
        self.options = options
    }

    /// The TCP port that the server listens on, the first if it has several, also when it asked for port 0; 0 when it
    /// has none, and when it does not listen.
    public var port: Int { listening?.port ?? 0 }

    /// Registers a WebSocket route.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query. In
    ///     `/room/:id` the segment `:id` is a parameter: it takes any one segment that is not empty, and is in
    ///     ``JazzyRequest/parameters``. A path without parameters goes before one that matches with them.
    ///   - options: What can be chosen about the route.
    ///   - upgrade: Decides who is let in; `nil` lets in everybody that ``JazzyRouteOptions/origins`` allows.
    ///   - onDrain: Called when the unsent output of a connection has fallen below half of its backpressure limit,
    ///     after it had been above.
    ///   - onDrop: Called when a message for a connection, or several, were dropped, once until its output has drained.
    ///     It takes the policy ``JazzyBackpressurePolicy/report``.
    ///   - handler: Called when something happens to a connection of the route.
    public func ws(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), upgrade: JazzyUpgradeHook? = nil,
        onDrain: JazzyOutputHandler? = nil, onDrop: JazzyOutputHandler? = nil, _ handler: @escaping JazzyHandler
    ) {
        let closures = RouteClosures(handler: handler, upgrade: upgrade, onDrain: onDrain, onDrop: onDrop)
        add(WebSocketRoute(path: path, options: options, closures: closures))
    }

    /// Registers a page: GET and HEAD of the path are answered with this content, from memory.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and may have parameters, as that of a WebSocket route, whose path it may also be.
    ///   - content: What is answered.
    public func get(_ path: String, _ content: JazzyContent) {
        add(PageRoute(path: path, content: content))
    }

    /// Runs a server that listens, on the calling thread (and more, if ``JazzyOptions/threads`` says so), until it is
    /// stopped and all its connections have ended.
    public func run() throws(JazzyError) {
        let core = try beginRunning()
        defer { endRunning(core) }
        try core.run()
    }

    /// The same, and Ctrl-C (SIGINT) or SIGTERM stop it in order; a second signal ends the process at once.
    ///
    /// For one server of a process at a time.
    public func runUntilSignal() throws(JazzyError) {
        let core = try beginRunning()
        defer { endRunning(core) }
        try core.runUntilSignal()
    }

    /// Runs a server that listens, on threads of its own.
    func runOnOwnThreads() throws(JazzyError) {
        let core = try beginRunning()
        do throws(JazzyError) {
            try core.start()
        } catch {
            endRunning(core)
            throw error
        }
    }

    /// Stops the server in order: it listens no more, closes every connection with code 1001, flushes what was sent,
    /// and waits for the answers up to ``JazzyOptions/closeTimeout``.
    ///
    /// It returns at once, also in a handler; ``wait()`` waits for the end.
    public func stop() {
        listening?.stop()
    }

    /// Waits until a server that runs has stopped. Not to be called in a handler, which would wait for itself.
    public func wait() {
        guard let core = listening else { return }
        waitForEnd(of: core)
    }

    /// Returns at once where the server listens, but does not run.
    func waitForEnd(of core: CoreServer) {
        guard case .running(let running) = state.withLock({ $0.phase }), running === core else { return }
        core.wait()
        endRunning(core)
    }
}

extension JazzyServer: JazzyPublisher {
    /// Publishes bytes as one message to all subscribers of a topic, on every event loop.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    ///   - kind: Text or binary; anything else is dropped. The bytes of a text must be UTF-8: this is not checked.
    /// - Returns: What became of it; ``JazzySendStatus/closed`` when the server does not listen, or is stopping.
    @discardableResult
    public func publish(_ topic: String, _ bytes: RawSpan, kind: WsMessageKind) -> JazzySendStatus {
        listening?.publish(topic, bytes, kind: kind) ?? .closed
    }

    /// How many connections are subscribed to a topic.
    public func subscriberCount(_ topic: String) -> Int { listening?.subscriberCount(topic) ?? 0 }

    /// How many messages were dropped because their receiver had reached its backpressure limit, or an event loop
    /// ``JazzyOptions/mailboxLimit``, since the server listens; 0 when it does not.
    public var droppedCount: Int { listening?.droppedCount ?? 0 }
}

extension JazzyServer {
    func listen(on addresses: [JazzyAddress], options: JazzyOptions) throws(JazzyError) {
        try state.withLock { state throws(JazzyError) in
            guard case .idle = state.phase else {
                throw JazzyError(.invalidState, "the server listens already; stop it and wait for it first")
            }
            state.phase = .listening(try CoreServer(options: options, routes: state.routes, addresses: addresses))
        }
    }

    var listening: CoreServer? { state.withLock { $0.phase.core } }

    func add(_ route: any JazzyRoute) {
        let isLate = state.withLock { state in
            state.routes.append(route)
            return state.phase.core != nil
        }
        if isLate {
            options.tell(.warning, "the route \(route.path) was added too late: it counts from the next start")
        }
    }

    private func beginRunning() throws(JazzyError) -> CoreServer {
        try state.withLock { state throws(JazzyError) in
            guard case .listening(let core) = state.phase else {
                throw JazzyError(.invalidState, "the server must listen before it runs, and cannot run twice at a time")
            }
            state.phase = .running(core)
            return core
        }
    }

    /// The caller's reference is the last but for other callers of `wait`: the core server ends with it, not in the
    /// lock.
    private func endRunning(_ core: CoreServer) {
        state.withLock { state in
            if state.phase.core === core { state.phase = .idle }
        }
    }
}

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
    private let options: JazzyOptions
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

    /// The port that the server listens on, also when it asked for port 0; 0 when it does not listen.
    public var port: Int { listening?.port ?? 0 }

    /// Registers a WebSocket route.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query.
    ///   - options: What can be chosen about the route.
    ///   - handler: Called when something happens to a connection of the route.
    public func ws(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), _ handler: @escaping JazzyHandler
    ) {
        add(WebSocketRoute(path: path, options: options, handler: handler))
    }

    /// Registers a page: GET and HEAD of the path are answered with this content, from memory.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`. It may also be the path of a WebSocket route.
    ///   - content: What is answered.
    public func get(_ path: String, _ content: JazzyContent) {
        add(PageRoute(path: path, content: content))
    }

    /// Binds and listens. From here on the kernel keeps connections until the server runs.
    ///
    /// - Parameters:
    ///   - host: An IPv4 or IPv6 address or a name; `nil` is every address of this machine, IPv4 and IPv6.
    ///   - port: 0 to 65,535; 0, the default, asks the kernel for a free one, which ``port`` tells.
    public func listen(host: String? = nil, port: Int = 0) throws(JazzyError) {
        try listen(host: host, port: port, options: options)
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

    /// Listens, and runs the server on the calling thread until Ctrl-C (SIGINT) or SIGTERM, as ``runUntilSignal()``
    /// does.
    ///
    /// - Parameters:
    ///   - host: An IPv4 or IPv6 address or a name; `nil` is every address of this machine, IPv4 and IPv6.
    ///   - port: 0 to 65,535; 0 asks the kernel for a free one, which ``port`` tells.
    public func serve(host: String? = nil, port: Int) throws(JazzyError) {
        try listen(host: host, port: port)
        try runUntilSignal()
    }

    /// Listens, and runs the server on threads of its own.
    ///
    /// - Parameters:
    ///   - host: An IPv4 or IPv6 address or a name; `nil` is every address of this machine, IPv4 and IPv6.
    ///   - port: 0 to 65,535; 0, the default, asks the kernel for a free one, which ``port`` tells.
    public func start(host: String? = nil, port: Int = 0) throws(JazzyError) {
        try listen(host: host, port: port)
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
        guard case .running(let core) = state.withLock({ $0.phase }) else { return }
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

    /// How many messages were dropped because their receiver had reached ``JazzyOptions/backpressureLimit``, since the
    /// server listens; 0 when it does not.
    public var droppedCount: Int { listening?.droppedCount ?? 0 }
}

extension JazzyServer {
    func listen(host: String?, port: Int, options: JazzyOptions) throws(JazzyError) {
        try state.withLock { state throws(JazzyError) in
            guard case .idle = state.phase else {
                throw JazzyError(.invalidState, "the server listens already; stop it and wait for it first")
            }
            state.phase = .listening(
                try CoreServer(options: options, routes: state.routes, host: host, port: port))
        }
    }

    private var listening: CoreServer? { state.withLock { $0.phase.core } }

    private func add(_ route: any JazzyRoute) {
        let isLate = state.withLock { state in
            state.routes.append(route)
            return state.phase.core != nil
        }
        if isLate {
            options.log(.warning, "the route \(route.path) was added too late: it counts from the next start")
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

import Dispatch
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
        var phase = ServerPhase.idle
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
    /// stopped and all its connections have ended. Where it was stopped since it listens, this returns at once.
    public func run() throws(JazzyError) {
        guard let core = try beginRunning() else { return }
        defer { endRunning(core) }
        try core.run()
    }

    /// The same, and Ctrl-C (SIGINT) or SIGTERM stop it in order; a second signal, the same or the
    /// other one, ends the process at once.
    ///
    /// For one server of a process at a time.
    public func runUntilSignal() throws(JazzyError) {
        guard let core = try beginRunning() else { return }
        defer { endRunning(core) }
        try core.runUntilSignal()
    }

    /// Runs a server that listens, on threads of its own.
    func runOnOwnThreads() throws(JazzyError) {
        guard let core = try beginRunning() else { return }
        do throws(JazzyError) {
            try core.start()
        } catch {
            endRunning(core)
            throw error
        }
    }

    /// Stops the server in order: it listens no more, closes every connection with code 1001, flushes what was sent,
    /// and waits for the answers up to ``JazzyOptions/closeTimeout``, for whoever still takes what was sent up to
    /// ``JazzyOptions/stopTimeout``.
    ///
    /// It returns at once, also in a handler; ``wait()`` waits for the end. A server that begins to listen, on another
    /// thread, is stopped when it does.
    public func stop() {
        askToEnd { $0.stop() }
    }

    /// Waits until a server that runs, or was stopped, has ended: then it may listen again. Not to be called in a
    /// handler, which would wait for itself.
    ///
    /// Where the server does not run and was not stopped, it returns at once.
    public func wait() {
        waitForEnd(of: nil)
    }

    /// Waits for the end of one core server, and not of another that the server has by then; `nil` is whichever.
    func waitForEnd(of core: CoreServer?) {
        var awaited = state.withLock { $0.phase.awaitEnd(of: core) }
        if case .preparation(let isDone) = awaited {
            isDone.wait()
            awaited = state.withLock { $0.phase.awaitEnd(of: core) }
        }
        // What has ended goes with `awaited`, not in the lock.
        guard case .run(let core) = awaited else { return }
        core.wait()
        endRunning(core)
    }

    /// Has the server ended in this way, now or when it listens. Returns what there is to be ended now.
    @discardableResult
    func askToEnd(_ end: @escaping ServerPhase.End) -> CoreServer? {
        let core = state.withLock { $0.phase.ask(end) }
        if let core { end(core) }
        return core
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

    /// How many connections are subscribed to a topic. One that is closing is until its close event has been handled: in
    /// its handler it still counts itself, on the event loop and on workers alike.
    public func subscriberCount(_ topic: String) -> Int { listening?.subscriberCount(topic) ?? 0 }

    /// How many messages were dropped because their receiver had reached its backpressure limit, or an event loop
    /// ``JazzyOptions/mailboxLimit``, since the server listens; 0 when it does not.
    public var droppedCount: Int { listening?.droppedCount ?? 0 }
}

extension JazzyServer {
    /// `make` looks up names, and may take its time: nobody who asks the server something waits for it.
    func listen(
        on addresses: [JazzyAddress], options: JazzyOptions,
        make: (JazzyOptions, [any JazzyRoute], [JazzyAddress]) throws(JazzyError) -> CoreServer = CoreServer.init
    ) throws(JazzyError) {
        let routes = try state.withLock { state throws(JazzyError) in
            try state.phase.beginToPrepare()
            return state.routes
        }
        do throws(JazzyError) {
            endPreparing(try make(options, routes, addresses))
        } catch {
            endPreparing(nil)
            throw error
        }
    }

    private func endPreparing(_ core: CoreServer?) {
        let preparation = state.withLock { $0.phase.endPreparing(core) }
        if let core { preparation?.ends.forEach { end in end(core) } }
        preparation?.isDone.leave()
    }

    var listening: CoreServer? { state.withLock { $0.phase.core } }

    func add(_ route: any JazzyRoute) {
        let isLate = state.withLock { state in
            state.routes.append(route)
            return state.phase.isLateForRoutes
        }
        if isLate {
            options.tell(.warning, "the route \(route.path) was added too late: it counts from the next start")
        }
    }

    private func beginRunning() throws(JazzyError) -> CoreServer? {
        try state.withLock { state throws(JazzyError) in try state.phase.beginToRun() }
    }

    /// The caller's reference is the last but for other callers of `wait`: the core server ends with it, not in the
    /// lock.
    private func endRunning(_ core: CoreServer) {
        state.withLock { $0.phase.endRunning(core) }
    }
}

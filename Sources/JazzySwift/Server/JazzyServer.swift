import Dispatch
import Synchronization

/// A WebSocket server, with its own routes and addresses. A process can have several.
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
/// Setting options and registering routes does not throw: errors in them are thrown when the server is to listen. Every
/// method may be called from any thread. A server that has stopped may be started again.
///
/// When the last reference to a server goes, it is stopped, and its end is waited for. It retains its handlers: one that
/// captured its own server would keep it forever. A handler has ``JazzyConnection/server`` for that, and an upgrade hook
/// ``JazzyRequest/server``.
public final class JazzyServer: Sendable {
    let options: JazzyOptions
    private let state = Mutex(State())

    private struct State {
        var routes: [any JazzyRoute] = []
        var phase = ServerPhase.idle
        /// Of the runs that have ended.
        var earlierCounts = JazzyStatistics()
    }

    /// Creates a server without routes.
    public init(options: JazzyOptions = JazzyOptions()) {
        self.options = options
    }

    /// The TCP port that the server listens on, the first if there are several; also the one that the kernel chose for
    /// port 0. 0 if there is none, or if the server does not listen.
    public var port: Int { listening?.port ?? 0 }

    /// Registers a WebSocket route.
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
    ///   - handler: Called when something happens to a connection of the route.
    public func ws(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), upgrade: JazzyUpgradeHook? = nil,
        onDrain: JazzyOutputHandler? = nil, onDrop: JazzyOutputHandler? = nil, _ handler: @escaping JazzyHandler
    ) {
        let closures = RouteClosures(handler: handler, upgrade: upgrade, onDrain: onDrain, onDrop: onDrop)
        add(WebSocketRoute(path: path, options: options, closures: closures))
    }

    /// Registers a page: GET and HEAD requests for the path are answered with this content.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and may have parameters, like that of a WebSocket route. It may also be the path of
    ///     one.
    ///   - content: The content of the response.
    public func get(_ path: String, _ content: JazzyContent) {
        add(PageRoute(path: path, content: content))
    }

    /// Runs a server that listens, on the calling thread (and more, if ``JazzyOptions/threads`` says so), until it is
    /// stopped and all its connections have ended. If it was stopped after it began to listen, this returns at once.
    ///
    /// Asynchronous code has ``runUntilCancelled(grace:untilSignal:)``, which blocks no thread of its tasks.
    @available(*, noasync, message: "use runUntilCancelled(grace:), or run(on:grace:), which listens, too")
    public func run() throws(JazzyError) {
        guard let core = try beginRunning() else { return }
        defer { endRunning(core) }
        try core.run()
    }

    /// The same, but Ctrl-C (SIGINT) or SIGTERM stops the server gracefully; a second signal, of either kind, ends the
    /// process at once.
    ///
    /// Only for one server of a process at a time. Asynchronous code has ``runUntilCancelled(grace:untilSignal:)``.
    @available(*, noasync, message: "use runUntilCancelled(untilSignal: true)")
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

    /// Stops the server gracefully: it stops listening, closes every connection with code 1001, flushes the output, and
    /// waits for the peers' close frames up to ``JazzyOptions/closeTimeout``, or up to ``JazzyOptions/stopTimeout`` for
    /// peers that still take output.
    ///
    /// It returns at once, even in a handler; ``wait()`` waits for the end. If another thread is making the server
    /// listen, it is stopped as soon as it listens.
    public func stop() {
        askToEnd { $0.stop() }
    }

    /// Waits until a server that runs, or was stopped, has ended: then it may listen again. Must not be called in a
    /// handler, which would wait for itself.
    ///
    /// If the server does not run and was not stopped, it returns at once. Asynchronous code has ``waitForEnd()``.
    @available(*, noasync, message: "use waitForEnd()")
    public func wait() {
        waitForEnd(of: nil)
    }

    /// Waits for the end of this core server, not of a later one; `nil`: of the current one.
    func waitForEnd(of core: CoreServer?) {
        var awaited = state.withLock { $0.phase.awaitEnd(of: core) }
        if case .preparation(let isDone) = awaited {
            isDone.wait()
            awaited = state.withLock { $0.phase.awaitEnd(of: core) }
        }
        // Releases an ended core server with `awaited`, outside of the lock.
        guard case .run(let core) = awaited else { return }
        core.wait()
        endRunning(core)
    }

    /// Ends the server in this way, now or as soon as it listens. Returns the core server that ends now, if there is
    /// one.
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
    /// - Returns: The result; ``JazzySendStatus/closed`` if the server does not listen, or is stopping.
    @discardableResult
    public func publish(_ topic: String, _ bytes: RawSpan, kind: WsMessageKind) -> JazzySendStatus {
        listening?.publish(topic, bytes, kind: kind) ?? .closed
    }

    /// The server's coders, ``JazzyOptions/coders`` of the options that it listens with.
    public var coders: JazzyCoders { listening?.withCalls(\.coders) ?? options.coders }

    /// How many connections are subscribed to a topic. A closing connection counts until its close event has been
    /// handled: in that handler it still counts itself, on the event loop and on workers alike.
    public func subscriberCount(_ topic: String) -> Int { listening?.subscriberCount(topic) ?? 0 }

    /// How many messages were dropped, since the server listens, because a receiver had reached its backpressure limit,
    /// or an event loop its ``JazzyOptions/mailboxLimit``, or because there was no memory; 0 if it does not listen.
    public var droppedCount: Int { listening?.droppedCount ?? 0 }
}

extension JazzyServer {
    /// `make` may take long, because it looks up names: it runs outside of the lock, so that no other call waits for
    /// it.
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
            options.tell(
                .warning, "the route \(route.path) was added too late: it counts from the next start", route: route.path
            )
        }
    }

    func beginRunning() throws(JazzyError) -> CoreServer? {
        try state.withLock { state throws(JazzyError) in try state.phase.beginToRun() }
    }

    /// Releases the core server with the caller's reference, outside of the lock; only other callers of `wait` may
    /// still have one.
    func endRunning(_ core: CoreServer) {
        let statistics = core.statistics
        state.withLock { state in
            if state.phase.endRunning(core) { state.earlierCounts.add(countsOf: statistics) }
        }
    }

    /// From the same moment: no run is in both, or in neither.
    var earlierCountsAndCore: (JazzyStatistics, CoreServer?) {
        state.withLock { ($0.earlierCounts, $0.phase.core) }
    }
}

import CJazzyPoll
import Dispatch
import Synchronization

/// Owns one `jz_server`, from listening to its end, and everything that its callbacks use.
final class CoreServer: Sendable {
    private let parts: Parts
    /// The transport of connections that the server is given.
    private let adoption: TransportTable?
    /// Runs that are in progress, or about to begin on their thread: `wait` waits for these first.
    private let runs = DispatchGroup()
    private let turn = Mutex(())

    /// `@unchecked Sendable` only because of `core`, which never changes, and is safe to share because:
    /// - functions that set up a server are called only by `init`, before any other code has a reference;
    /// - `jz_server_run`, `_run_until_signal` and `_start` are called once, by the caller that `ServerPhase` allows to
    ///   run the server, and `jz_server_wait` after they have returned, while `turn` is held;
    /// - `jz_server_runs_here`, `_publish`, `_adopt`, `_stop_within`, `_stop_with`, `_ending`, and what ``ServerCalls``
    ///   calls, may be called from any thread;
    /// - `jz_server_destroy` is called once, by `init` when it fails or by `deinit`, when no other code has a
    ///   reference.
    private struct Parts: @unchecked Sendable {
        let core: OpaquePointer
        /// The core refers to these without owning them.
        var contexts: [any AnyObject & Sendable]

        func destroy() {
            withExtendedLifetime(contexts) { jz_server_destroy(core) }
        }
    }

    /// Sets up a server and listens.
    convenience init(options: JazzyOptions, routes: [any JazzyRoute], addresses: [JazzyAddress]) throws(JazzyError) {
        try self.init(options: options, routes: routes, addresses: addresses, observer: nil)
    }

    /// Sets up a server, and listens.
    ///
    /// - Parameters:
    ///   - transport: That of connections that the server is given: then it need not listen.
    ///   - observer: Is told of what is published.
    init(
        options: JazzyOptions, routes: [any JazzyRoute], addresses: [JazzyAddress],
        adoptsOver transport: JazzyTransport? = nil, observer: (any ServerObserver)?
    ) throws(JazzyError) {
        let addresses = try addresses.map { address throws(JazzyError) in try PreparedAddress(address, for: options) }
        let adoption = try transport?.table(for: options)
        let (logContext, context) = (LogContext(options), ServerContext(options))
        var parts = Parts(
            core: try Self.create(options, logContext, context),
            contexts: [logContext, context] + addresses.compactMap(\.table))
        if let adoption { parts.contexts.append(adoption) }
        do throws(JazzyError) {
            for route in routes {
                let context = try route.register(on: parts.core, of: options)
                if let context { parts.contexts.append(context) }
            }
            if let observer {
                let context = PublicationContext(observer)
                parts.contexts.append(context)
                try context.join(parts.core)
            } else if let broker = options.broker {
                let handle = JazzyServerHandle(of: JazzyWebSocket(jz_server_handle(parts.core)))
                let table = try broker.makeTable(options, handle)
                parts.contexts.append(table)
                try table.require(historiesOf: routes)
                try table.join(parts.core)
            }
            if adoption != nil { try check { jz_server_expect_adoption(parts.core, $0) } }
            if adoption == nil || !addresses.isEmpty { try listen(parts.core, on: addresses) }
        } catch {
            parts.destroy()
            throw error
        }
        self.parts = parts
        self.adoption = adoption
    }

    deinit {
        // A handler, of this server or another, may have had the last reference. An event loop must not wait here,
        // because two loops could wait for each other; another thread does. Nor must a thread that its end waits for.
        if jz_in_handler() || BrokerThread.isCurrent {
            onThreadThatMayWait { [parts] in parts.destroy() }
        } else {
            parts.destroy()
        }
    }

    private var core: OpaquePointer { parts.core }

    /// The server is not destroyed before `body` returns.
    func withCalls<Result>(_ body: (ServerCalls) -> Result) -> Result {
        withExtendedLifetime(self) { body(ServerCalls(core: core)) }
    }

    var port: Int { withCalls { $0.port } }

    var droppedCount: Int { withCalls { $0.droppedCount } }

    func subscriberCount(_ topic: String) -> Int { withCalls { $0.subscriberCount(topic) } }

    func publish(_ topic: String, _ bytes: RawSpan, kind: WsMessageKind) -> JazzySendStatus {
        withCharacters(of: topic) { [core] name, length in
            bytes.withUnsafeBytes {
                JazzySendStatus(jz_server_publish(core, name, length, kind.core, $0.baseAddress, $0.count))
            }
        }
    }

    /// One of the next functions will be called, once. Call this before other threads can see that the server runs.
    func expectRun() {
        runs.enter()
    }

    func run() throws(JazzyError) {
        defer { runs.leave() }
        try check { jz_server_run(core, $0) }
    }

    func runUntilSignal() throws(JazzyError) {
        defer { runs.leave() }
        try check { jz_server_run_until_signal(core, $0) }
    }

    func start() throws(JazzyError) {
        defer { runs.leave() }
        try check { jz_server_start(core, $0) }
    }

    /// Gives the server a connection that nobody has accepted, over the transport that it was set up with. The core owns
    /// the descriptor, unless this throws.
    func adopt(_ descriptor: Int32, from address: String) throws(JazzyError) {
        guard let adoption else { throw JazzyError(.invalidState, "the server was set up without adoption") }
        try check { [core] error in
            address.withCString {
                var options = adoption.adoptOptions(from: $0)
                return jz_server_adopt(core, descriptor, &options, error)
            }
        }
    }

    func stop() {
        withCalls { $0.stop() }
    }

    func stop(graceInMilliseconds grace: UInt32) {
        jz_server_stop_within(core, grace)
    }

    func stop(_ farewell: Farewell) {
        farewell.withCore { options in _ = jz_server_stop_with(core, options, nil) }
    }

    func drain(deadline: JazzyTimeLimit) {
        withCalls { $0.drain(deadline: deadline) }
    }

    /// Whether the calling thread is in one of the server's handlers.
    var runsHere: Bool { jz_server_runs_here(core) }

    var ending: JazzyEnding { JazzyEnding(jz_server_ending(core)) }

    var statistics: JazzyStatistics { withCalls { $0.statistics } }

    /// Waits until the server, whether started or run on another thread, has stopped.
    func wait() {
        precondition(!runsHere, "a handler waits for its own server, which would never end")
        runs.wait()
        turn.withLock { _ in jz_server_wait(core) }
    }

    private static func create(
        _ options: JazzyOptions, _ logContext: LogContext, _ context: ServerContext
    ) throws(JazzyError) -> OpaquePointer {
        try options.withCore { coreOptions throws(JazzyError) in
            logContext.set(in: &coreOptions)
            context.set(in: &coreOptions)
            var error = jz_error()
            guard let core = jz_server_create(&coreOptions, &error) else { throw JazzyError(error) }
            return core
        }
    }
}

/// Runs blocking work on a thread outside of the pool that runs tasks. On Linux the global queues share that pool; a
/// private queue does not.
func onThreadThatMayWait(_ work: @escaping @Sendable () -> Void) {
    DispatchQueue(label: "jazzy.wait").async(execute: work)
}

import CJazzyPoll
import Dispatch
import Synchronization

/// Owns one `jz_server`, from listening to its end, and everything that it calls back into.
final class CoreServer: Sendable {
    private let parts: Parts
    private let turn = Mutex(())

    /// `@unchecked Sendable` because of `core` alone, which never changes and is safe to share for how it is used:
    /// - what sets a server up is called by `init` only, when nobody else can see it yet;
    /// - `jz_server_run`, `_start` and `_wait`, which are for one thread at a time, are called while `turn` is held;
    /// - `jz_server_port`, `_runs_here`, `_publish`, `_subscriber_count`, `_dropped_count` and `_stop` may be called
    ///   from any thread;
    /// - `jz_server_destroy` is called once, by `init` when it fails or by `deinit`, when nobody else can see it any
    ///   more.
    private struct Parts: @unchecked Sendable {
        let core: OpaquePointer
        /// The core refers to these without owning them.
        var contexts: [any AnyObject & Sendable]

        func destroy() {
            withExtendedLifetime(contexts) { jz_server_destroy(core) }
        }
    }

    /// Sets a server up and listens.
    init(options: JazzyOptions, routes: [any JazzyRoute], host: String?, port: Int) throws(JazzyError) {
        let logContext = LogContext(options.log)
        var parts = Parts(core: try Self.create(options, logContext), contexts: [logContext])
        do throws(JazzyError) {
            for route in routes {
                let context = try route.register(on: parts.core, log: options.log)
                if let context { parts.contexts.append(context) }
            }
            try Self.listen(parts.core, host, port)
        } catch {
            parts.destroy()
            throw error
        }
        self.parts = parts
    }

    deinit {
        // The last reference may be one that a handler took. It cannot wait for its own thread to end: another does,
        // and none of the few that run tasks, which may all be waiting.
        if jz_server_runs_here(core) {
            DispatchQueue.global().async { [parts] in parts.destroy() }
        } else {
            parts.destroy()
        }
    }

    private var core: OpaquePointer { parts.core }

    var port: Int { Int(jz_server_port(core)) }

    var droppedCount: Int { Int(clamping: jz_server_dropped_count(core)) }

    func subscriberCount(_ topic: String) -> Int {
        withCharacters(of: topic) { jz_server_subscriber_count(core, $0, $1) }
    }

    func publish(_ topic: String, _ bytes: RawSpan, kind: WsMessageKind) -> JazzySendStatus {
        withCharacters(of: topic) { name, length in
            bytes.withUnsafeBytes {
                JazzySendStatus(jz_server_publish(core, name, length, kind.core, $0.baseAddress, $0.count))
            }
        }
    }

    func run() throws(JazzyError) {
        try turn.withLock { _ throws(JazzyError) in try check { jz_server_run(core, $0) } }
    }

    func runUntilSignal() throws(JazzyError) {
        try turn.withLock { _ throws(JazzyError) in try check { jz_server_run_until_signal(core, $0) } }
    }

    func start() throws(JazzyError) {
        try turn.withLock { _ throws(JazzyError) in try check { jz_server_start(core, $0) } }
    }

    func stop() {
        jz_server_stop(core)
    }

    /// Waits until a server that was started has stopped, or one that runs on another thread has returned.
    func wait() {
        precondition(!jz_server_runs_here(core), "a handler waits for its own server, which would never end")
        turn.withLock { _ in jz_server_wait(core) }
    }

    private static func create(_ options: JazzyOptions, _ logContext: LogContext) throws(JazzyError) -> OpaquePointer {
        var coreOptions = try options.core()
        coreOptions.log = LogContext.callback
        coreOptions.log_context = Unmanaged.passUnretained(logContext).toOpaque()
        var error = jz_error()
        guard let core = jz_server_create(&coreOptions, &error) else { throw JazzyError(error) }
        return core
    }

    private static func listen(_ core: OpaquePointer, _ host: String?, _ port: Int) throws(JazzyError) {
        try requireNoNUL(host ?? "", "the host", .invalidAddress)
        guard let port = UInt16(exactly: port) else {
            throw JazzyError(.invalidAddress, "the port is \(port); it must be 0 to 65535")
        }
        try check { jz_server_listen(core, host, port, $0) }
    }
}

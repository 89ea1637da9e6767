import CJazzyPoll
import Synchronization

/// Owns one `jz_server`, from listening to its end, and everything that it calls back into.
///
/// `@unchecked Sendable` because of `core` alone, which never changes and is safe to share for how it is used:
/// - what sets a server up is called by `init` only, when nobody else can see it yet;
/// - `run`, `start` and `wait`, which are for one thread at a time, are called while `turn` is held;
/// - `jz_server_port` and `jz_server_stop` may be called from any thread;
/// - `jz_server_destroy` is called by `deinit`, when nobody else can see it any more.
final class CoreServer: @unchecked Sendable {
    private let core: OpaquePointer
    private let logContext: LogContext
    private let handlerContexts: [HandlerContext]
    private let turn = Mutex(())

    /// Sets a server up and listens.
    init(options: JazzyOptions, routes: [JazzyRoute], host: String?, port: Int) throws(JazzyError) {
        let logContext = LogContext(options.log)
        let core = try Self.create(options, logContext)
        do throws(JazzyError) {
            var handlerContexts: [HandlerContext] = []
            for route in routes {
                if let context = try route.register(on: core, log: options.log) { handlerContexts.append(context) }
            }
            try Self.listen(core, host, port)
            self.core = core
            self.logContext = logContext
            self.handlerContexts = handlerContexts
        } catch {
            jz_server_destroy(core)
            throw error
        }
    }

    deinit {
        jz_server_destroy(core)
    }

    var port: Int { Int(jz_server_port(core)) }

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

import Dispatch

/// The state of a server: what may be done next, and what `wait` waits for. Guarded by the server's lock, which is
/// never held during anything that takes long.
enum ServerPhase {
    case idle
    /// It begins to listen, which may take long, because names may have to be looked up.
    case preparing(Preparation)
    case listening(CoreServer, isToEnd: Bool)
    /// It listened, and was stopped before it ran: a later run returns at once.
    case over
    case running(CoreServer)

    /// Ends that were requested while the server begins to listen. They are carried out when it listens, so that the
    /// callers need not wait.
    struct Preparation {
        let isDone = DispatchGroup()
        var ends: [End] = []

        init() { isDone.enter() }
    }

    typealias End = @Sendable (CoreServer) -> Void

    var core: CoreServer? {
        switch self {
        case .idle, .preparing, .over: nil
        case .listening(let core, _), .running(let core): core
        }
    }

    /// Whether a route that is added now takes effect only at the next start.
    var isLateForRoutes: Bool {
        switch self {
        case .idle, .over: false
        case .preparing, .listening, .running: true
        }
    }

    mutating func beginToPrepare() throws(JazzyError) {
        guard !isLateForRoutes else {
            throw JazzyError(.invalidState, "the server listens already; stop it and wait for it first")
        }
        self = .preparing(Preparation())
    }

    /// Returns the requests that were made meanwhile, which the caller carries out.
    mutating func endPreparing(_ core: CoreServer?) -> Preparation? {
        guard case .preparing(let preparation) = self else { return nil }
        self = if let core { .listening(core, isToEnd: !preparation.ends.isEmpty) } else { .idle }
        return preparation
    }

    /// Returns the core server to run; `nil` if it was stopped before.
    mutating func beginToRun() throws(JazzyError) -> CoreServer? {
        switch self {
        case .listening(let core, _):
            core.expectRun()
            self = .running(core)
            return core
        case .over:
            self = .idle
            return nil
        case .idle, .preparing, .running:
            throw JazzyError(.invalidState, "the server must listen before it runs, and cannot run twice at a time")
        }
    }

    /// Returns the core server to end at once, if there is one.
    mutating func ask(_ end: @escaping End) -> CoreServer? {
        switch self {
        case .idle, .over: return nil
        case .preparing(var preparation):
            preparation.ends.append(end)
            self = .preparing(preparation)
            return nil
        case .listening(let core, _):
            self = .listening(core, isToEnd: true)
            return core
        case .running(let core): return core
        }
    }

    /// What a caller of `wait` waits for.
    enum Awaited {
        case nothing
        /// It begins to listen, and an end was requested already.
        case preparation(DispatchGroup)
        /// It ends now: it listened, an end was requested, and it will not run.
        case end(CoreServer)
        case run(CoreServer)
    }

    /// `expected`: the core server whose end is awaited; `nil`: any.
    mutating func awaitEnd(of expected: CoreServer?) -> Awaited {
        if let expected, core !== expected { return .nothing }
        switch self {
        case .preparing(let preparation) where !preparation.ends.isEmpty: return .preparation(preparation.isDone)
        case .listening(let core, isToEnd: true):
            self = .over
            return .end(core)
        case .running(let core): return .run(core)
        case .idle, .preparing, .listening, .over: return .nothing
        }
    }

    /// Returns whether this server ran until now.
    mutating func endRunning(_ core: CoreServer) -> Bool {
        guard case .running(let running) = self, running === core else { return false }
        self = .idle
        return true
    }
}

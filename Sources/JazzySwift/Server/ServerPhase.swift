import Dispatch

/// What a server is doing: what may be done next, and what those who wait for its end wait for. Guarded by the server's
/// lock, which nobody holds while anything takes time.
enum ServerPhase {
    case idle
    /// It begins to listen. Names may have to be looked up, so that this can take as long as it likes.
    case preparing(Preparation)
    case listening(CoreServer, isToEnd: Bool)
    /// It listened, and was stopped before it ran: a run that was to come returns at once.
    case over
    case running(CoreServer)

    /// Who ends a server that begins to listen is not made to wait: that is done when it listens.
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

    /// Whether a route that is added now counts from the next start only.
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

    /// Returns what was asked for meanwhile, which is still to be done.
    mutating func endPreparing(_ core: CoreServer?) -> Preparation? {
        guard case .preparing(let preparation) = self else { return nil }
        self = if let core { .listening(core, isToEnd: !preparation.ends.isEmpty) } else { .idle }
        return preparation
    }

    /// Returns what is to run; `nil` where it was stopped before.
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

    /// Returns whom to ask at once to end.
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

    /// What somebody waits for who waits for the end.
    enum Awaited {
        case nothing
        /// It will listen, and was to end already.
        case preparation(DispatchGroup)
        /// It has ended now: it listened and was to end, and will not run.
        case end(CoreServer)
        case run(CoreServer)
    }

    /// `expected` is whose end is awaited, unless it is anybody's.
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

    mutating func endRunning(_ core: CoreServer) {
        if case .running(let running) = self, running === core { self = .idle }
    }
}

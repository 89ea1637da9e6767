import Synchronization

/// Stops the server that a task runs when the task is cancelled: at once, or as soon as the server runs.
///
/// It never stops a later run of the same server, which another task may have begun.
final class RunCancellation: Sendable {
    private enum State {
        case waiting
        case cancelled
        case running(CoreServer)
    }

    private let grace: Duration?
    private let state = Mutex(State.waiting)

    /// `grace`: `nil` stops it as ``JazzyServer/stop()`` does.
    init(grace: Duration?) {
        self.grace = grace
    }

    func cancel() {
        let running: CoreServer? = state.withLock { state in
            if case .running(let core) = state { return core }
            state = .cancelled
            return nil
        }
        running.map(stop)
    }

    /// The task's server runs now, or will at once.
    func follow(_ core: CoreServer) {
        let isCancelled = state.withLock { state in
            if case .cancelled = state { return true }
            state = .running(core)
            return false
        }
        if isCancelled { stop(core) }
    }

    private func stop(_ core: CoreServer) {
        if let grace {
            core.stop(graceInMilliseconds: grace.wholeMilliseconds)
        } else {
            core.stop()
        }
    }
}

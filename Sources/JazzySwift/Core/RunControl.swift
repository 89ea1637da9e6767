import Synchronization

/// Ends the server that a task runs, when the task is cancelled or when it is asked to: at once, or as soon as the
/// server runs. What was asked before the server listens keeps it from listening.
///
/// It never ends a later run of the same server, which another task may have begun.
package final class RunControl: Sendable {
    private enum State {
        case waiting([ServerPhase.End])
        case running(CoreServer)
    }

    private let grace: Duration?
    private let state = Mutex(State.waiting([]))

    /// - Parameter grace: How long a cancellation waits for the connections' ends; `nil`: as ``JazzyServer/stop()``.
    package init(grace: Duration?) {
        self.grace = grace
    }

    /// The task was cancelled.
    package func cancel() {
        ask { [grace] core in
            if let grace {
                core.stop(graceInMilliseconds: grace.wholeMilliseconds)
            } else {
                core.stop()
            }
        }
    }

    /// Stops the server, as ``JazzyServer/stopAndWait(code:reason:spread:grace:)`` does, without waiting for its end.
    package func stop(_ farewell: Farewell) {
        ask { $0.stop(farewell) }
    }

    /// Makes the server listen no more, as ``JazzyServer/drain(deadline:)`` does.
    package func drain() {
        ask { $0.drain(deadline: .never) }
    }

    private func ask(_ end: @escaping ServerPhase.End) {
        let running: CoreServer? = state.withLock { state in
            switch state {
            case .waiting(let ends):
                state = .waiting(ends + [end])
                return nil
            case .running(let core): return core
            }
        }
        running.map(end)
    }

    /// Whether the server is to end before it runs.
    var isAsked: Bool {
        state.withLock { state in
            if case .waiting(let ends) = state { !ends.isEmpty } else { false }
        }
    }

    /// The task's server runs now, or will at once.
    func follow(_ core: CoreServer) {
        let asked: [ServerPhase.End] = state.withLock { state in
            defer { state = .running(core) }
            if case .waiting(let ends) = state { return ends }
            return []
        }
        asked.forEach { end in end(core) }
    }
}

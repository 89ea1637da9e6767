import Synchronization

/// A count that handlers on any threads add to, and that tests wait for.
final class Tally: Sendable {
    private struct State: Sendable {
        var count = 0
        var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.count } }

    func add() {
        let ready = state.withLock { state in
            state.count += 1
            let count = state.count
            defer { state.waiters.removeAll { $0.count <= count } }
            return state.waiters.filter { $0.count <= count }
        }
        for waiter in ready { waiter.continuation.resume() }
    }

    /// Waits until it is so much.
    func wait(for count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.count < count { state.waiters.append((count, continuation)) }
                return state.count >= count
            }
            if isThere { continuation.resume() }
        }
    }
}

/// Adds to a tally when it is released.
final class Tracked: Sendable {
    private let tally: Tally

    init(_ tally: Tally) {
        self.tally = tally
    }

    deinit { tally.add() }
}

import Synchronization

/// A value that several threads change, and that tasks wait for, without blocking a thread.
final class Watched<Value: Sendable>: Sendable {
    private typealias Action = @Sendable () -> Void

    private struct Waiter: Sendable {
        let number: UInt64
        /// Returns what resumes the task, if the value is what it waits for.
        let attempt: @Sendable (inout Value) -> Action?
        let fail: @Sendable (any Error) -> Void
    }

    private struct State: Sendable {
        var value: Value
        var waiters: [Waiter] = []
        /// Of tasks that are about to wait: they were cancelled, or their time is over already.
        var failures: [UInt64: any Error] = [:]
        var nextNumber: UInt64 = 0
    }

    private let state: Mutex<State>

    init(_ value: Value) {
        state = Mutex(State(value: value))
    }

    /// A copy of the value.
    var value: Value { state.withLock { $0.value } }

    /// Changes the value, or takes something out of it, and resumes who waits for that. `body` is called under a lock.
    @discardableResult
    func change<Result>(_ body: (inout Value) throws -> sending Result) rethrows -> sending Result {
        let (result, actions) = try state.withLock { state in
            let result = try body(&state.value)
            var actions: [Action] = []
            state.waiters.removeAll { waiter in
                guard let action = waiter.attempt(&state.value) else { return false }
                actions.append(action)
                return true
            }
            return (result, actions)
        }
        for action in actions { action() }
        return result
    }

    /// Waits until `take` returns something, which it may take out of the value. It is called under a lock, whenever
    /// the value has changed.
    ///
    /// - Parameters:
    ///   - limit: How long to wait.
    ///   - explain: The sentence of the error that is thrown then, for the value as it is then.
    func first<Result: Sendable>(
        within limit: Duration, explain: @escaping @Sendable (Value) -> String,
        _ take: @escaping @Sendable (inout Value) -> Result?
    ) async throws -> Result {
        let (result, number) = state.withLock { state in
            state.nextNumber += 1
            return (take(&state.value), state.nextNumber)
        }
        if let result { return result }
        let timer = Task { [weak self] in
            guard (try? await Task.sleep(for: limit)) != nil, let self else { return }
            self.fail(number, JazzyTestError(.timeout, "after \(limit): \(explain(self.value))"))
        }
        defer {
            timer.cancel()
            state.withLock { $0.failures[number] = nil }
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                park(number, continuation, take)
            }
        } onCancel: {
            fail(number, CancellationError())
        }
    }

    /// Between the first look and this one the value may have changed, or the task may have been cancelled.
    private func park<Result: Sendable>(
        _ number: UInt64, _ continuation: CheckedContinuation<Result, any Error>,
        _ take: @escaping @Sendable (inout Value) -> Result?
    ) {
        let attempt: @Sendable (inout Value) -> Action? = { value in
            guard let result = take(&value) else { return nil }
            return { continuation.resume(returning: result) }
        }
        let action: Action? = state.withLock { state in
            if let action = attempt(&state.value) { return action }
            if let error = state.failures[number] { return { continuation.resume(throwing: error) } }
            let fail: @Sendable (any Error) -> Void = { continuation.resume(throwing: $0) }
            state.waiters.append(Waiter(number: number, attempt: attempt, fail: fail))
            return nil
        }
        action?()
    }

    /// The same for a condition.
    func wait(
        within limit: Duration, explain: @escaping @Sendable (Value) -> String,
        until condition: @escaping @Sendable (Value) -> Bool
    ) async throws {
        try await first(within: limit, explain: explain) { condition($0) ? () : nil }
    }

    private func fail(_ number: UInt64, _ error: any Error) {
        let waiter: Waiter? = state.withLock { state in
            guard let place = state.waiters.firstIndex(where: { $0.number == number }) else {
                state.failures[number] = error
                return nil
            }
            return state.waiters.remove(at: place)
        }
        waiter?.fail(error)
    }
}

import Synchronization

/// Where the messages of one connection wait for the task that handles them.
///
/// Filled by the connection's handler, which runs on one thread at a time; emptied by tasks. It is the state of its
/// connection, so it is found without a dictionary.
///
/// Reading is paused and resumed while the lock is held, so that the core gets both in the order of this state, from
/// whichever threads: they call no handler.
final class MessageInbox: RouteState, Sendable {
    fileprivate enum Limit {
        static let messages = 64
        static let bytes = 256 * 1_024
    }

    fileprivate typealias Waiter = CheckedContinuation<Result<WsOwnedMessage?, WsError>, Never>

    fileprivate struct State {
        var messages = MessageQueue()
        var isPaused = false
        /// `next` calls that wait for a message: more than one only if several tasks iterate.
        var waiters: [(number: UInt64, continuation: Waiter)] = []
        var nextNumber: UInt64 = 0
        var failure: WsError?
        var close: WsClose?
        var taken = 0
        /// The handler has returned: nobody takes messages any more.
        var isOver = false
        var task: Task<Void, Never>?

        var isFull: Bool { messages.count >= Limit.messages || messages.bytes >= Limit.bytes }
        var isHalfEmpty: Bool { messages.count <= Limit.messages / 2 && messages.bytes <= Limit.bytes / 2 }
        var hasEnded: Bool { close != nil || failure != nil }
    }

    /// That of the connection whose handler is the running task.
    @TaskLocal static var ofTask: MessageInbox?

    private let ws: JazzyWebSocket
    private let observer: (any ServerObserver)?
    private let state = Mutex(State())
    /// The state that an upgrade hook gave to the connection.
    let given: (any GivenState)?
    /// The request that the connection began with; `nil` if there is no memory.
    let request: KeptRequest?

    init(
        _ ws: JazzyWebSocket, given: (any GivenState)? = nil, request: KeptRequest? = nil,
        observer: (any ServerObserver)? = nil
    ) {
        self.ws = ws
        self.given = given
        self.request = request
        self.observer = observer
    }

    func belongs(to ws: JazzyWebSocket) -> Bool { ws == self.ws }

    var close: WsClose? { state.withLock { $0.close } }

    /// Whether the connection has ended, or failed and will end.
    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    // MARK: Events of the connection

    /// The task is cancelled when the connection ends.
    func handle(in task: Task<Void, Never>) {
        state.withLock { $0.task = task }
    }

    func append(_ message: WsOwnedMessage) {
        let waiter: Waiter? = state.withLock { state in
            if state.isOver { return nil }
            if !state.waiters.isEmpty {
                state.taken += 1
                return state.waiters.removeFirst().continuation
            }
            state.messages.append(message)
            // Also if it is paused already: a resumption that was posted before may take effect later.
            if state.isFull {
                ws.pauseReading()
                state.isPaused = true
            }
            return nil
        }
        waiter?.resume(returning: .success(message))
    }

    func fail(_ error: WsError) {
        state.withLock { $0.failure = error }
    }

    func end(_ close: WsClose) {
        let (waiters, failure, task) = state.withLock { state in
            state.close = close
            let failure = state.waiters.isEmpty ? nil : state.takeFailure()
            defer {
                state.waiters = []
                state.task = nil
            }
            return (state.waiters, failure, state.task)
        }
        // First, so that who wakes up sees that he is cancelled.
        task?.cancel()
        for (place, waiter) in waiters.enumerated() {
            waiter.continuation.resume(
                returning: place == 0 ? failure.map { .failure($0) } ?? .success(nil) : .success(nil))
        }
    }

    // MARK: The task

    /// The handler has returned or thrown. Returns whether the connection was still there.
    func finish() -> Bool {
        state.withLock { state in
            state.isOver = true
            state.messages = MessageQueue()
            state.task = nil
            return !state.hasEnded
        }
    }

    func next() async throws(WsError) -> WsOwnedMessage? {
        await resumeReading()
        if let result = takeNow() { return try result.get() }
        if let observer { observer.waits(taskOf: ws, taken: state.withLock { $0.taken }) }
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // Between the first look and this one a message may have come, or the task may have been cancelled.
                let result = state.withLock { state in
                    let result = Task.isCancelled ? state.take() ?? .success(nil) : state.take()
                    if result == nil { state.waiters.append((number, continuation)) }
                    return result
                }
                if let result { continuation.resume(returning: result) }
            }
        } onCancel: {
            let waiter: Waiter? = state.withLock { state in
                guard let place = state.waiters.firstIndex(where: { $0.number == number }) else { return nil }
                return state.waiters.remove(at: place).continuation
            }
            waiter?.resume(returning: .success(nil))
        }
        return try result.get()
    }

    private func takeNow() -> Result<WsOwnedMessage?, WsError>? {
        state.withLock { $0.take() }
    }

    /// If there is no memory for the request, it is repeated: without it nothing might ever come.
    private func resumeReading() async {
        while !resumedReading() {
            guard (try? await Task.sleep(for: .milliseconds(10))) != nil else { return }
        }
    }

    private func resumedReading() -> Bool {
        state.withLock { state in
            guard state.isPaused, state.isHalfEmpty else { return true }
            guard ws.resumeReading() != .dropped else { return !state.messages.isEmpty }
            state.isPaused = false
            return true
        }
    }
}

extension MessageInbox.State {
    /// What `next` returns now; `nil` if it has to wait.
    fileprivate mutating func take() -> Result<WsOwnedMessage?, WsError>? {
        if let message = messages.popFirst() {
            taken += 1
            return .success(message)
        }
        guard close != nil else { return nil }
        return takeFailure().map { .failure($0) } ?? .success(nil)
    }

    /// The failure is thrown once.
    fileprivate mutating func takeFailure() -> WsError? {
        defer { failure = nil }
        return failure
    }
}

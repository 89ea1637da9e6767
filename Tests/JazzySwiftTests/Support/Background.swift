import Dispatch
import Foundation
import Synchronization

/// Runs `work` on its own thread while `body` runs here; then waits for its end, and throws its error.
func inBackground(_ work: @escaping @Sendable () throws -> Void, while body: () throws -> Void) throws {
    let thread = BackgroundThread(work)
    do {
        try body()
    } catch {
        // Where the work failed, it is why the body failed.
        try thread.throwIfFailed()
        throw error
    }
    try thread.wait()
}

/// Work on a thread of its own.
final class BackgroundThread: Sendable {
    private let ended = DispatchSemaphore(value: 0)
    private let outcome = Holder<Result<Void, any Error>>()

    init(_ work: @escaping @Sendable () throws -> Void) {
        Thread.detachNewThread { [ended, outcome] in
            outcome.value = Result { try work() }
            ended.signal()
        }
    }

    /// Waits for the work to end, ten seconds or as long as is said, and throws its error.
    func wait(seconds: Int = 10) throws {
        guard ended.wait(timeout: .now() + .seconds(seconds)) == .success else {
            throw TestFailure("the work in background never ended")
        }
        try throwIfFailed()
    }

    /// Throws the error of the work, if it has thrown by now.
    func throwIfFailed() throws {
        try outcome.value?.get()
    }
}

/// A variable that handlers and tests share.
final class Holder<Value: Sendable>: Sendable {
    private let held = Mutex<Value?>(nil)

    var value: Value? {
        get { held.withLock { $0 } }
        // Released outside of the lock, because that may take time.
        set { _ = held.withLock { value in exchange(&value, newValue) } }
    }
}

private func exchange<Value>(_ value: inout Value, _ newValue: Value) -> Value {
    defer { value = newValue }
    return value
}

import Dispatch
import Foundation
import Synchronization

/// Runs `work` on a thread of its own while `body` runs here; then waits for it to end, and throws what it threw.
func inBackground(_ work: @escaping @Sendable () throws -> Void, while body: () throws -> Void) throws {
    let ended = DispatchSemaphore(value: 0)
    let outcome = Holder<Result<Void, any Error>>()
    Thread.detachNewThread {
        outcome.value = Result { try work() }
        ended.signal()
    }
    try body()
    guard ended.wait(timeout: .now() + 10) == .success else { throw TestFailure("the work in background never ended") }
    try outcome.value?.get()
}

/// A variable that handlers and tests share.
final class Holder<Value: Sendable>: Sendable {
    private let held = Mutex<Value?>(nil)

    var value: Value? {
        get { held.withLock { $0 } }
        // What was held ends outside the lock, because its end may take time.
        set { _ = held.withLock { value in exchange(&value, newValue) } }
    }
}

private func exchange<Value>(_ value: inout Value, _ newValue: Value) -> Value {
    defer { value = newValue }
    return value
}

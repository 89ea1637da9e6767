import JazzySwift
import Synchronization

/// Collects values from handlers on any threads.
final class Recorder<Value: Sendable>: Sendable {
    private let recorded = Mutex<[Value]>([])

    var values: [Value] { recorded.withLock { $0 } }

    func record(_ value: Value) {
        recorded.withLock { $0.append(value) }
    }

    /// Waits until so many values are there, and returns them.
    func values(count: Int) throws -> [Value] {
        try eventually("\(count) values") { values.count >= count }
        return values
    }
}

import Synchronization

/// Collects lines from handlers on any threads.
final class Journal: Sendable {
    private let lines = Mutex<[String]>([])

    var values: [String] { lines.withLock { $0 } }

    func record(_ line: String) {
        lines.withLock { $0.append(line) }
    }
}

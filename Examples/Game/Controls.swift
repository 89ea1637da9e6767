import JazzySwift
import Synchronization

/// What players do between two steps: handlers write it, on any event loop, and the game takes it.
///
/// Of several inputs of a player in one step only the last counts, so a flood of them needs no memory.
final class Controls: Sendable {
    struct Changes: Sendable {
        var joined: [JazzyWebSocket] = []
        var directions: [JazzyWebSocket: Directions] = [:]
        var left: [JazzyWebSocket] = []
    }

    private let changes = Mutex(Changes())

    func join(_ ws: JazzyWebSocket) { changes.withLock { $0.joined.append(ws) } }
    func steer(_ ws: JazzyWebSocket, _ directions: Directions) { changes.withLock { $0.directions[ws] = directions } }
    func leave(_ ws: JazzyWebSocket) { changes.withLock { $0.left.append(ws) } }

    /// The changes since the last call.
    func take() -> Changes {
        changes.withLock { changes in
            defer { changes = Changes() }
            return changes
        }
    }
}

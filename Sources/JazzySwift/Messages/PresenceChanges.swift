import Synchronization

/// The changes of one topic that wait for who iterates over them. What waits is one change, into which later ones are
/// merged: so no more waits than there are members.
final class PresenceChanges: Sendable {
    fileprivate typealias Waiter = CheckedContinuation<JazzyPresenceChange?, Never>

    fileprivate struct State {
        var waiting: Merged?
        /// The keys of those that were taken as joined, and not as left.
        var known: Set<String> = []
        var waiter: Waiter?
        var isOver = false
    }

    fileprivate struct Merged {
        let topic: String
        var joined: [String: JazzyMember] = [:]
        var left: [String: JazzyMember] = [:]
        var memberCount = 0
    }

    private let state = Mutex(State())

    func add(_ change: JazzyPresenceChange) {
        let waiter: Waiter? = state.withLock { state in
            if state.isOver { return nil }
            guard let waiter = state.waiter else {
                state.merge(change)
                return nil
            }
            state.waiter = nil
            state.note(change)
            return waiter
        }
        waiter?.resume(returning: change)
    }

    /// Nothing follows what waits.
    func end() {
        let waiter = state.withLock { state in
            state.isOver = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: nil)
    }

    /// `nil`: it is over. By one task at a time: another one that waits gets `nil`.
    func next() async -> JazzyPresenceChange? {
        await withCheckedContinuation { continuation in
            let (change, earlier, isOver) = state.withLock { state in
                let change = state.take()
                let earlier = state.waiter
                state.waiter = change == nil && !state.isOver ? continuation : nil
                return (change, earlier, change != nil || state.isOver)
            }
            earlier?.resume(returning: nil)
            if isOver { continuation.resume(returning: change) }
        }
    }
}

extension PresenceChanges.State {
    fileprivate mutating func merge(_ change: JazzyPresenceChange) {
        var merged = waiting ?? PresenceChanges.Merged(topic: change.topic)
        for member in change.joined {
            merged.left[member.key] = nil
            merged.joined[member.key] = member
        }
        for member in change.left {
            merged.joined[member.key] = nil
            // Who came and left meanwhile was never told.
            if known.contains(member.key) { merged.left[member.key] = member }
        }
        merged.memberCount = change.memberCount
        waiting = merged
    }

    fileprivate mutating func note(_ change: JazzyPresenceChange) {
        known.formUnion(change.joined.map(\.key))
        known.subtract(change.left.map(\.key))
    }

    /// What waits, if it is anything.
    fileprivate mutating func take() -> JazzyPresenceChange? {
        guard let merged = waiting else { return nil }
        waiting = nil
        let change = JazzyPresenceChange(
            topic: merged.topic, joined: Array(merged.joined.values), left: Array(merged.left.values),
            memberCount: merged.memberCount)
        guard !change.joined.isEmpty || !change.left.isEmpty else { return nil }
        note(change)
        return change
    }
}

import Dispatch
import Synchronization

/// Gives the viewers of a dashboard its figures, once a second, collected and written once for all of them.
///
/// Without a viewer there is nothing: no timer, no thread, no figures.
final class DashboardFeed: Sendable {
    static let mostViewers = 64

    /// In bytes: with more, a viewer has not taken what it was sent.
    private static let mostUnsent = 65_536

    private struct State {
        var viewers: Set<JazzyWebSocket> = []
        var isTicking = false
        /// The last sample, for who comes between two of them.
        var last: [UInt8]?
        var number = 0
        var sent = DashboardSample.Viewers()
    }

    /// Not a global queue, which shares its threads with tasks on Linux: when these are blocked, an operator looks.
    private let queue = DispatchQueue(label: "jazzy.dashboard")
    private let start = ContinuousClock.now
    private let state = Mutex(State())

    var isFull: Bool { state.withLock { $0.viewers.count >= Self.mostViewers } }

    var isCollecting: Bool { state.withLock { $0.isTicking } }

    /// The samples that viewers have missed.
    var skipped: Int { state.withLock { $0.sent.skipped } }

    /// `false`: others were faster. Any number of clients may have been let in before the first of them is here.
    func add(_ ws: JazzyWebSocket) -> Bool {
        let (isIn, last, begins) = state.withLock { state in
            guard state.viewers.count < Self.mostViewers else { return (false, nil as [UInt8]?, false) }
            state.viewers.insert(ws)
            let begins = !state.isTicking
            state.isTicking = true
            return (true, state.last, begins)
        }
        if let last { send(last, to: ws) }
        if begins { queue.async { [self] in tick(due: .now()) } }
        return isIn
    }

    func remove(_ ws: JazzyWebSocket) {
        state.withLock { state in
            state.viewers.remove(ws)
            if state.viewers.isEmpty { state.last = nil }
        }
    }

    /// On the queue.
    private func tick(due: DispatchTime) {
        guard let server = viewerToAsk()?.server else { return }
        if let figures = server.figures {
            let viewers = share(figures)
            if figures.isDrained(but: viewers.count) { for viewer in viewers { viewer.close(code: .goingAway) } }
        } else {
            // There is no memory, for now, or no server any more.
            state.withLock { state in state.viewers = state.viewers.filter { $0.isOpen } }
        }
        // A machine that was suspended does not catch up.
        let next = max(due + 1, .now() + 0.5)
        queue.asyncAfter(deadline: next) { [self] in tick(due: next) }
    }

    /// Without one it stops, until one comes.
    private func viewerToAsk() -> JazzyWebSocket? {
        state.withLock { state in
            state.isTicking = !state.viewers.isEmpty
            return state.viewers.first
        }
    }

    /// Sends it to all viewers, and returns these.
    private func share(_ figures: DashboardFigures) -> Set<JazzyWebSocket> {
        let (number, sent) = state.withLock { state in
            state.number += 1
            state.sent.now = state.viewers.count
            return (state.number, state.sent)
        }
        let sample = DashboardSample(
            number: number, uptime: start.duration(to: .now), viewers: sent, figures: figures)
        let json = sample.json
        let viewers = state.withLock { state in
            // Nobody may have stayed.
            state.last = state.viewers.isEmpty ? nil : json
            return state.viewers
        }
        for viewer in viewers { send(json, to: viewer) }
        return viewers
    }

    /// Who has not taken the last sample misses this one, so that nothing piles up for it.
    private func send(_ sample: [UInt8], to viewer: JazzyWebSocket) {
        guard viewer.bufferedAmount <= Self.mostUnsent else { return state.withLock { $0.sent.skipped += 1 } }
        switch viewer.send(sample, kind: .text) {
        case .sent, .queued:
            state.withLock { state in
                state.sent.messages += 1
                state.sent.bytes += sample.count
            }
        case .dropped: state.withLock { $0.sent.skipped += 1 }
        case .closed: remove(viewer)
        }
    }
}

extension DashboardFigures {
    /// Whether all are gone for whom a server that drains stays: not for those that look at it.
    fileprivate func isDrained(but viewers: Int) -> Bool {
        server.state == "draining" && connections.websocketsNow <= viewers
    }
}

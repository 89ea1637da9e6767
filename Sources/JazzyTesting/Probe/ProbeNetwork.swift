import JazzySwift
import Synchronization

/// What is known of a server that is probed: its connections, what its handlers do, and what was published.
final class ProbeNetwork: Sendable {
    private struct State: Sendable {
        var nextNumber: UInt64 = 1
        var nextMark: UInt64 = 1
        /// Of connections to which something may happen.
        var records: [JazzyWebSocket: ConnectionRecord] = [:]
        /// Of connections whose first mark has not arrived yet.
        var newcomers: [UInt64: ConnectionRecord] = [:]
        var published: [JazzyPublication] = []
        /// Clients that have no channel yet, by the descriptors that the server was given for them.
        var arriving: [Int32: ProbeWire] = [:]
    }

    private let state = Mutex(State())

    var published: [JazzyPublication] { state.withLock { $0.published } }

    // MARK: Clients

    /// A channel will be opened for the client, on this descriptor.
    func expect(_ wire: ProbeWire, on descriptor: Int32) {
        state.withLock { $0.arriving[descriptor] = wire }
    }

    /// The client with this descriptor, which now has a channel; `nil` if it has gone.
    func arrived(_ descriptor: Int32) -> ProbeWire? {
        let wire = state.withLock { $0.arriving.removeValue(forKey: descriptor) }
        wire?.beginServing()
        return wire
    }

    /// The client has gone. The descriptor may be another's by now.
    func forget(_ wire: ProbeWire) {
        state.withLock { state in
            if let place = state.arriving.firstIndex(where: { $0.value === wire }) { state.arriving.remove(at: place) }
        }
    }

    /// Takes the record of a connection whose first mark has arrived.
    func newcomer(_ number: UInt64) -> ConnectionRecord? {
        state.withLock { $0.newcomers.removeValue(forKey: number) }
    }

    // MARK: Settling

    /// Waits until all that the server has sent, or has been told to send, to any connection has arrived, and all
    /// connections that it closes are closed.
    func settle(within limit: Duration) async throws {
        // What a connection's end has led to may be sent, or end others, in turn.
        while try await settleOnce(within: limit) {}
    }

    /// Returns whether a connection has ended.
    private func settleOnce(within limit: Duration) async throws -> Bool {
        let (records, mark) = state.withLock { state in
            state.nextMark += 1
            return (Array(state.records.values), state.nextMark)
        }
        var marked: [ConnectionRecord] = []
        for record in records {
            if try await record.send(mark, within: limit) { marked.append(record) }
        }
        var hasEnded = false
        for record in marked { hasEnded = try await record.awaitMark(mark, within: limit) || hasEnded }
        return hasEnded
    }
}

extension ConnectionRecord {
    /// Sends a mark, or finds out that the connection is closing. False: the client does not take anything.
    fileprivate func send(_ mark: UInt64, within limit: Duration) async throws -> Bool {
        let end = ContinuousClock.now + limit
        while !state.value.isUnread {
            let status = ws.send(Mark(number, mark).payload, kind: .ping)
            if status == .closed { state.change { $0.isClosing = true } }
            if status != .dropped { return true }
            // There is more to send than may wait, but the client takes it.
            guard ContinuousClock.now < end else {
                throw JazzyTestError(.timeout, "after \(limit): the server still has too much to send to a probe")
            }
            try await Task.sleep(for: .milliseconds(1))
        }
        return false
    }

    /// Returns whether the connection has ended.
    fileprivate func awaitMark(_ mark: UInt64, within limit: Duration) async throws -> Bool {
        try await state.first(within: limit) { state in
            state.isClosing
                ? state.explanation(handling: 0) : "what the server sends does not arrive: does a handler block?"
        } _: { state in
            if state.isOver { return true }
            return state.isUnread || !state.isClosing && state.close == nil && state.mark >= mark ? false : nil
        }
    }
}

extension ProbeNetwork: ServerObserver {
    func opens(_ ws: JazzyWebSocket) {
        let record = state.withLock { state in
            let record = ConnectionRecord(ws, number: state.nextNumber)
            state.nextNumber += 1
            state.records[ws] = record
            state.newcomers[record.number] = record
            return record
        }
        // By this the client learns which connection it is.
        ws.send(Mark(record.number, 0).payload, kind: .ping)
    }

    func handled(_ ws: JazzyWebSocket, _ event: WsEvent, _ message: WsMessageKind?, _ error: (any Error)?) {
        change(ws) { state in
            switch event {
            case .open: state.hasOpened = true
            case .message: if message == .text || message == .binary { state.handled += 1 }
            case .error(let error): state.failure = error
            case .close(let close): state.close = close
            }
            guard let error else { return }
            state.thrown.append(error)
            state.isClosing = true
        }
    }

    func begins(taskOf ws: JazzyWebSocket) {
        change(ws) { $0.hasTask = true }
    }

    func waits(taskOf ws: JazzyWebSocket, taken: Int) {
        change(ws) { $0.taken = taken }
    }

    func ends(taskOf ws: JazzyWebSocket, _ error: (any Error)?) {
        change(ws) { state in
            state.isTaskOver = true
            if let error { state.thrown.append(error) }
            state.isClosing = true
        }
    }

    func published(_ topic: String, _ message: WsOwnedMessage) {
        state.withLock { $0.published.append(JazzyPublication(topic, message)) }
    }

    private func change(_ ws: JazzyWebSocket, _ body: (inout ConnectionRecord.State) -> Void) {
        guard let record = state.withLock({ $0.records[ws] }) else { return }
        let isOver = record.state.change { state in
            body(&state)
            return state.isOver
        }
        guard isOver else { return }
        state.withLock { state in
            state.records[ws] = nil
            state.newcomers[record.number] = nil
        }
    }
}

import CJazzyPoll.Broker
import Dispatch
import Synchronization

/// Leads from a broker that is written in Swift to its server, between `start` and `stop`.
final class BrokerCore: Sendable {
    /// `@unchecked Sendable` because the core's functions that are called with it may be called from any thread until
    /// `stop` returns (`jazzy/broker.h`), for which ``end()`` waits.
    private struct Server: @unchecked Sendable {
        let core: OpaquePointer
    }

    private let server = Mutex<Server?>(nil)
    private let calls = DispatchGroup()

    /// From now on the server can be called.
    func begin(_ core: OpaquePointer) {
        server.withLock { $0 = Server(core: core) }
    }

    /// When this returns, no call is in progress, and none will be made.
    func end() {
        server.withLock { $0 = nil }
        calls.wait()
    }

    /// If there is a server, it cannot end before ``leave()``.
    private func enter() -> OpaquePointer? {
        server.withLock { server in
            if server != nil { calls.enter() }
            return server
        }?.core
    }

    private func withCalls<Result>(_ body: (ServerCalls) -> Result) -> Result? {
        guard let core = enter() else { return nil }
        defer { calls.leave() }
        return body(ServerCalls(core: core))
    }

    func deliver(_ topic: String, _ bytes: RawSpan, kind: WsMessageKind, excluding id: UInt64?) -> JazzySendStatus {
        withCalls { $0.deliver(topic, bytes, kind: kind, excluding: id) } ?? .closed
    }

    func deliverTogether<Result>(_ body: (borrowing JazzyBrokerBatch) throws -> Result) rethrows -> Result {
        let core = enter()
        let batch = core.flatMap { jz_broker_batch_create($0) }
        defer {
            jz_broker_batch_free(batch)
            if core != nil { calls.leave() }
        }
        return try body(JazzyBrokerBatch(core: BrokerBatchCore(batch: batch, broker: self)))
    }

    func setJoined(_ isJoined: Bool) {
        withCalls { $0.setJoined(isJoined) }
    }

    func missed(_ topic: String) {
        withCalls { $0.missed(topic) }
    }
}

/// The batch of the core, within one call of ``BrokerCore/deliverTogether(_:)``.
struct BrokerBatchCore {
    /// `nil`: the server has ended, or there is no memory for it.
    fileprivate let batch: OpaquePointer?
    fileprivate let broker: BrokerCore

    func deliver(_ topic: String, _ bytes: RawSpan, kind: WsMessageKind, excluding id: UInt64?) -> JazzySendStatus {
        guard let batch else { return broker.deliver(topic, bytes, kind: kind, excluding: id) }
        return withTopicName(topic) { name, length in
            bytes.withUnsafeBytes {
                JazzySendStatus(
                    jz_broker_batch_deliver(
                        batch, jz_ws(value: id ?? 0), name, length, kind.core, $0.baseAddress, $0.count))
            }
        }
    }
}

extension ServerCalls {
    fileprivate func deliver(
        _ topic: String, _ bytes: RawSpan, kind: WsMessageKind, excluding id: UInt64?
    ) -> JazzySendStatus {
        withTopicName(topic) { name, length in
            bytes.withUnsafeBytes {
                JazzySendStatus(
                    jz_broker_deliver_except(
                        core, jz_ws(value: id ?? 0), name, length, kind.core, $0.baseAddress, $0.count))
            }
        }
    }

    fileprivate func setJoined(_ isJoined: Bool) {
        jz_broker_set_joined(core, isJoined)
    }

    fileprivate func missed(_ topic: String) {
        withTopicName(topic) { jz_broker_missed(core, $0, $1) }
    }
}

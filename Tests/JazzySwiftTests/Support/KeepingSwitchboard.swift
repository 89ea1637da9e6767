import CJazzyPoll.Broker
import JazzySwift
import Synchronization

/// Joins servers of this process, and keeps the histories of their topics: what a broker of C functions does that is
/// given to `JazzyBroker(makeFunctions:)`.
final class KeepingSwitchboard: Sendable {
    /// `@unchecked Sendable` because the functions that are called with it may be called from any thread until `stop`.
    struct Core: @unchecked Sendable {
        let pointer: OpaquePointer
    }

    struct State {
        var servers: [ObjectIdentifier: Core] = [:]
        var messages: [[UInt8]] = []
        var fetches = 0
        var isReached = true
    }

    static let epoch: UInt64 = 0xFEED
    let state = Mutex(State())

    var fetches: Int { state.withLock { $0.fetches } }

    func setReached(_ isReached: Bool) {
        state.withLock { $0.isReached = isReached }
    }

    fileprivate func add(_ topic: String, _ bytes: [UInt8]) -> jz_send_status {
        state.withLock { state in
            guard state.isReached else { return JZ_SEND_DROPPED }
            state.messages.append(bytes)
            let position = jz_position(epoch: Self.epoch, offset: UInt64(state.messages.count))
            for server in state.servers.values {
                jz_broker_deliver_kept(
                    server.pointer, nil, jz_ws(), topic, topic.utf8.count, JZ_MESSAGE_TEXT, bytes, bytes.count, position
                )
            }
            return JZ_SEND_SENT
        }
    }

    fileprivate func answer(_ server: Core, _ topic: String, _ number: UInt64) -> Bool {
        let messages: [[UInt8]]? = state.withLock { state in
            state.fetches += 1
            return state.isReached ? state.messages : nil
        }
        guard let messages else { return false }
        let buffers = messages.map { bytes in
            let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
            _ = buffer.initialize(from: bytes)
            return buffer
        }
        defer { for buffer in buffers { buffer.deallocate() } }
        let kept = buffers.map {
            jz_broker_kept_message(kind: JZ_MESSAGE_TEXT, bytes: $0.baseAddress, length: $0.count, age_ms: 0)
        }
        kept.withUnsafeBufferPointer { kept in
            var answer = jz_broker_kept(
                is_failed: false, newest: jz_position(epoch: Self.epoch, offset: UInt64(kept.count)), count: kept.count,
                messages: kept.baseAddress)
            jz_broker_fetched(server.pointer, topic, topic.utf8.count, number, &answer)
        }
        return true
    }
}

/// One server's part.
private final class Line: Sendable {
    let board: KeepingSwitchboard

    init(_ board: KeepingSwitchboard) { self.board = board }

    static func at(_ context: UnsafeMutableRawPointer?) -> Line? {
        context.map { Unmanaged<Line>.fromOpaque($0).takeUnretainedValue() }
    }

    static func text(_ characters: UnsafePointer<CChar>?, _ length: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: characters, count: length), as: UTF8.self)
    }

    var core: KeepingSwitchboard.Core? {
        get { board.state.withLock { $0.servers[ObjectIdentifier(self)] } }
        set { board.state.withLock { $0.servers[ObjectIdentifier(self)] = newValue } }
    }

    var functions: jz_broker {
        var functions = jz_broker()
        functions.context = Unmanaged.passUnretained(self).toOpaque()
        functions.start = { context, server, _ in
            guard let line = Line.at(context), let server else { return JZ_STATUS_SYSTEM }
            line.core = .init(pointer: server)
            return JZ_OK
        }
        functions.stop = { context in
            Line.at(context)?.core = nil
        }
        functions.subscribe = { _, _, _ in }
        functions.unsubscribe = { _, _, _ in }
        functions.publish = { _, _, _, _, _, _ in JZ_SEND_SENT }
        functions.publish_kept = { context, _, topic, topicLength, _, _, bytes, length in
            let bytes = Array(UnsafeRawBufferPointer(start: bytes, count: length))
            return Line.at(context)?.board.add(Line.text(topic, topicLength), bytes) ?? JZ_SEND_DROPPED
        }
        functions.fetch = { context, topic, length, _, number in
            guard let line = Line.at(context), let core = line.core else { return false }
            return line.board.answer(core, Line.text(topic, length), number)
        }
        return functions
    }
}

extension JazzyBroker {
    static func keeping(_ board: KeepingSwitchboard) -> JazzyBroker {
        JazzyBroker(makeFunctions: { _, _ in
            let line = Line(board)
            return (line.functions, line)
        })
    }
}

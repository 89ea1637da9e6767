import CJazzyPoll

/// Calls of the core about a server that may be made from any thread, for as long as the server is there. What lends this
/// to a closure keeps the server until the closure returns.
struct ServerCalls {
    let core: OpaquePointer

    func publish(
        _ topic: String, _ bytes: RawSpan, kind: WsMessageKind, compression: JazzyCompression
    ) -> JazzySendStatus {
        var options = jz_publish_options()
        options.compression = compression.core
        return withCharacters(of: topic) { [core] name, length in
            bytes.withUnsafeBytes {
                JazzySendStatus(
                    jz_server_publish_with(core, name, length, kind.core, $0.baseAddress, $0.count, &options))
            }
        }
    }

    func connections(in topic: String) -> [JazzyWebSocket] {
        withCharacters(of: topic) { name, length in
            var room = jz_server_subscribers(core, name, length, nil, 0)
            while true {
                var count = 0
                let connections = [JazzyWebSocket](unsafeUninitializedCapacity: room) { buffer, written in
                    // A JazzyWebSocket is a jz_ws: 64 bits.
                    count = buffer.withMemoryRebound(to: jz_ws.self) {
                        jz_server_subscribers(core, name, length, $0.baseAddress, $0.count)
                    }
                    written = min(count, buffer.count)
                }
                if count <= connections.count { return connections }
                // More have come meanwhile.
                room = count + count / 8
            }
        }
    }

    func close(_ topic: String, code: UInt16, reason: String) -> JazzySendStatus {
        withCharacters(of: topic) { name, length in
            withCharacters(of: reason) {
                JazzySendStatus(jz_server_close_topic(core, name, length, code, $0, $1))
            }
        }
    }

    func subscriberCount(_ topic: String) -> Int {
        withCharacters(of: topic) { jz_server_subscriber_count(core, $0, $1) }
    }

    func isLive(_ topic: String) -> Bool {
        withCharacters(of: topic) { jz_server_is_live(core, $0, $1) }
    }

    var droppedCount: Int { Int(clamping: jz_server_dropped_count(core)) }

    var port: Int { Int(jz_server_port(core)) }

    var statistics: JazzyStatistics {
        var statistics = jz_statistics()
        jz_server_statistics(core, &statistics)
        var told = JazzyStatistics(statistics)
        told.readTimes(of: core)
        told.history = JazzyHistoryStatistics(of: core)
        told.presence = JazzyPresenceStatistics(of: core)
        return told
    }

    func stop() {
        jz_server_stop(core)
    }

    func drain(deadline: JazzyTimeLimit) {
        let milliseconds =
            switch deadline {
            case .never: JZ_NEVER
            case .after(let duration): min(duration.wholeMilliseconds, JZ_NEVER - 1)
            }
        jz_server_drain(core, milliseconds)
    }
}

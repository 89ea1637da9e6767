import CJazzyPoll
import Testing

@testable import JazzySwift

@Suite("Statistics", .ownThreads)
struct StatisticsTests {
    @Test("What a server does is counted")
    func counts() throws {
        try withServer {
            $0.ws("/") { ws, event, message in
                if event == .message { ws.send(message.bytes, kind: message.kind == .ping ? .pong : message.kind) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send("four")
            #expect(try client.receiveText() == "four")
            try client.send(.binary, [1, 2, 3])
            _ = try client.receive()
            let open = server.statistics
            #expect((open.connections, open.connectionsTotal) == (1, 1))
            #expect((open.webSockets, open.webSocketsTotal, open.handshakes) == (1, 1, 0))
            #expect((open.messagesReceived.text, open.bytesReceived.text) == (1, 4))
            #expect((open.messagesReceived[.binary], open.bytesReceived[.binary]) == (1, 3))
            #expect((open.messagesSent.total, open.bytesSent.total) == (2, 7))
            #expect(open.iterations > 0)
            #expect(open.iterationTime > .zero)
            #expect(open.longestIteration <= open.iterationTime)

            try client.sendClose(code: 3_001)
            _ = try client.receive()
            let broken = try TestClient(port: server.port, path: "/")
            try broken.sendRaw([0x81, 0x01, 0x41])
            #expect(try broken.receiveClose() == 1002)
            broken.reset()
            #expect(try TestHandshake(port: server.port, path: "/nowhere").receiveStatus() == 404)
            try eventually("all have ended") { server.statistics.closesTotal == 2 }
            let ended = server.statistics
            #expect(ended.webSockets == 0)
            #expect(ended.webSocketsTotal == 2)
            #expect((ended.closes(code: 1002), ended.closes(code: 3_999), ended.closes(code: 1000)) == (1, 1, 0))
            #expect((ended.closes(cause: .peer), ended.closes(cause: .failure)) == (1, 1))
            #expect((ended.failures(.notMasked), ended.failuresTotal) == (1, 1))
            #expect((ended.refused(for: .notFound), ended.refusedTotal) == (1, 1))
            #expect(ended.dropped == 0)
            #expect(ended.broker == JazzyBrokerStatistics())
        }
    }

    @Test("A server that does not listen has none")
    func none() throws {
        let server = JazzyServer()
        #expect(server.statistics == JazzyStatistics())
        try server.listen(host: "127.0.0.1")
        #expect(server.statistics != JazzyStatistics(), "it has places for counts")
        #expect(JazzyStatistics().closes(code: 1000) == 0)
        #expect(JazzyStatistics().refused(for: .outOfMemory) == 0)
        #expect(JazzyStatistics().failures(.transport) == 0)
    }

    @Test("Each number of the core comes to its place")
    func places() {
        var core = jz_statistics()
        withUnsafeMutableBytes(of: &core) { bytes in
            let numbers = bytes.assumingMemoryBound(to: UInt64.self)
            for index in numbers.indices { numbers[index] = UInt64(index) }
        }
        core.broker.report.is_up = true
        let statistics = JazzyStatistics(core)
        #expect(statistics.connections == Int(core.connections))
        #expect(statistics.connectionsPeak == Int(core.connections_peak))
        #expect(statistics.connectionsTotal == Int(core.connections_total))
        #expect(statistics.webSockets == Int(core.websockets))
        #expect(statistics.webSocketsTotal == Int(core.websockets_total))
        #expect(statistics.handshakes == Int(core.handshakes))
        #expect(statistics.messagesReceived.text == Int(core.messages_received.0))
        #expect(statistics.bytesReceived.binary == Int(core.bytes_received.1))
        #expect(statistics.messagesSent.ping == Int(core.messages_sent.2))
        #expect(statistics.bytesSent.pong == Int(core.bytes_sent.3))
        #expect(statistics.dropped == Int(core.dropped))
        #expect(statistics.bufferedBytes == Int(core.buffered_bytes))
        #expect(statistics.iterations == Int(core.iterations))
        #expect(statistics.iterationTime == .nanoseconds(core.iteration_time))
        #expect(statistics.longestIteration == .nanoseconds(core.longest_iteration))
        #expect(statistics.lag == .nanoseconds(core.lag))
        #expect(statistics.broker.isJoined)
        #expect(statistics.broker.losses == Int(core.broker.losses))
        #expect(statistics.broker.topics == Int(core.broker.topics))
        #expect(statistics.broker.published == Int(core.broker.published))
        #expect(statistics.broker.refused == Int(core.broker.refused))
        #expect(statistics.broker.delivered == Int(core.broker.delivered))
        #expect(statistics.broker.isUp)
        #expect(statistics.broker.reconnects == Int(core.broker.report.reconnects))
        #expect(statistics.broker.gaps == Int(core.broker.report.gaps))
        #expect(statistics.broker.received == Int(core.broker.report.received))
        #expect(statistics.broker.echoes == Int(core.broker.report.echoes))
        #expect(statistics.broker.duplicates == Int(core.broker.report.duplicates))
        #expect(statistics.broker.unreadable == Int(core.broker.report.unreadable))
        #expect(statistics.broker.dropped == Int(core.broker.report.dropped))
        #expect(statistics.broker.queuedBytes == Int(core.broker.report.queued_bytes))
        #expect(statistics.broker.queuedMessages == Int(core.broker.report.queued_messages))
        #expect(statistics.broker.refusedTopics == Int(core.broker.report.refused_topics))
        #expect(statistics.broker.lag == .microseconds(core.broker.report.lag_us))
        #expect(statistics.refused(for: .malformedHead) == Int(core.refused.0))
        #expect(statistics.refused(for: .outOfMemory) == Int(core.refused.15))
        #expect(statistics.closes(code: 1000) == Int(core.closes.0))
        #expect(statistics.closes(code: 1015) == Int(core.closes.15))
        #expect(statistics.closes(code: 4_711) == Int(core.closes.18))
        #expect(statistics.closes(cause: .peer) == Int(core.causes.0))
        #expect(statistics.closes(cause: .failure) == Int(core.causes.6))
        #expect(statistics.failures(.reservedBits) == Int(core.failures.1))
    }

    @Test("Each refusal of the core is a case of its own, with a text of its own")
    func refusals() {
        let all = (0..<JZ_REFUSAL_COUNT.rawValue).map { jz_refusal(rawValue: $0) }
        #expect(JazzyRefusal.allCases.map(\.core) == all)
        #expect(Set(JazzyRefusal.allCases.map(\.description)).count == all.count)
        #expect("\(JazzyRefusal.origin)" == "the origin is not allowed")
    }

    @Test("A count of messages is found by their kind")
    func kinds() {
        var counts = JazzyMessageCounts()
        for (number, kind) in [WsMessageKind.text, .binary, .ping, .pong].enumerated() { counts[kind] = number + 1 }
        #expect([counts.text, counts.binary, counts.ping, counts.pong, counts.total] == [1, 2, 3, 4, 10])
        #expect(counts[.pong] == 4)
    }
}

import CJazzyPoll

extension JazzyStatistics {
    init(_ core: jz_statistics) {
        connections = Int(clamping: core.connections)
        connectionsPeak = Int(clamping: core.connections_peak)
        connectionsTotal = Int(clamping: core.connections_total)
        webSockets = Int(clamping: core.websockets)
        webSocketsTotal = Int(clamping: core.websockets_total)
        handshakes = Int(clamping: core.handshakes)
        messagesReceived = JazzyMessageCounts(core.messages_received)
        bytesReceived = JazzyMessageCounts(core.bytes_received)
        messagesSent = JazzyMessageCounts(core.messages_sent)
        bytesSent = JazzyMessageCounts(core.bytes_sent)
        dropped = Int(clamping: core.dropped)
        messageRate = JazzyMessageRateCounts(core.exceeded)
        bufferedBytes = Int(clamping: core.buffered_bytes)
        iterations = Int(clamping: core.iterations)
        iterationTime = .nanoseconds(Int64(clamping: core.iteration_time))
        longestIteration = .nanoseconds(Int64(clamping: core.longest_iteration))
        lag = .nanoseconds(Int64(clamping: core.lag))
        broker = JazzyBrokerStatistics(core.broker)
        refusals = counts(core.refused)
        closeCounts = counts(core.closes)
        causeCounts = counts(core.causes)
        failureCounts = counts(core.failures)
    }
}

extension JazzyBrokerStatistics {
    fileprivate init(_ core: jz_broker_statistics) {
        isJoined = core.joined != 0
        losses = Int(clamping: core.losses)
        topics = Int(clamping: core.topics)
        published = Int(clamping: core.published)
        refused = Int(clamping: core.refused)
        delivered = Int(clamping: core.delivered)
        report = JazzyBrokerReport(core.report)
    }
}

extension JazzyBrokerReport {
    fileprivate init(_ core: jz_broker_report) {
        isUp = core.is_up
        reconnects = Int(clamping: core.reconnects)
        gaps = Int(clamping: core.gaps)
        received = Int(clamping: core.received)
        echoes = Int(clamping: core.echoes)
        duplicates = Int(clamping: core.duplicates)
        unreadable = Int(clamping: core.unreadable)
        dropped = Int(clamping: core.dropped)
        queuedBytes = Int(clamping: core.queued_bytes)
        queuedMessages = Int(clamping: core.queued_messages)
        lag = .microseconds(Int64(clamping: core.lag_us))
        refusedTopics = Int(clamping: core.refused_topics)
    }
}

func closeIndex(of code: UInt16) -> Int { Int(jz_closes_index(code)) }

extension JazzyRefusal {
    var index: Int { Int(core.rawValue) }
}

extension WsClose.Cause {
    var index: Int { Int(core.rawValue) }
}

extension WsError.Rule {
    var index: Int { Int(core.rawValue) }
}

extension JazzyMessageCounts {
    /// By `jz_message_kind`.
    fileprivate init(_ core: (UInt64, UInt64, UInt64, UInt64)) {
        text = Int(clamping: core.0)
        binary = Int(clamping: core.1)
        ping = Int(clamping: core.2)
        pong = Int(clamping: core.3)
    }
}

/// Swift imports a C array as a tuple; here all elements are counts.
private func counts<Tuple: BitwiseCopyable>(_ tuple: Tuple) -> [Int] {
    withUnsafeBytes(of: tuple) { bytes in
        bytes.withMemoryRebound(to: UInt64.self) { $0.map { Int(clamping: $0) } }
    }
}

extension JazzyServer {
    /// The statistics of now, with the counts of all earlier runs of the server added: what only ever grows, such as
    /// ``JazzyStatistics/connectionsTotal``, never falls, whenever the server stops and is started again.
    package var lifetimeStatistics: JazzyStatistics {
        let (earlier, core) = earlierCountsAndCore
        var statistics = core?.statistics ?? JazzyStatistics()
        statistics.add(countsOf: earlier)
        return statistics
    }
}

extension JazzyStatistics {
    /// Adds what was counted in another run; what is true only now, such as ``connections``, stays.
    mutating func add(countsOf other: JazzyStatistics) {
        connectionsTotal += other.connectionsTotal
        webSocketsTotal += other.webSocketsTotal
        messagesReceived.add(other.messagesReceived)
        bytesReceived.add(other.bytesReceived)
        messagesSent.add(other.messagesSent)
        bytesSent.add(other.bytesSent)
        dropped += other.dropped
        messageRate.closes += other.messageRate.closes
        messageRate.pauses += other.messageRate.pauses
        messageRate.drops += other.messageRate.drops
        iterations += other.iterations
        iterationTime += other.iterationTime
        iterationTimes.add(other.iterationTimes)
        lateness.add(other.lateness)
        handlerTimes.add(other.handlerTimes)
        webSocketTimes.add(other.webSocketTimes)
        pingTimes.add(other.pingTimes)
        broker.losses += other.broker.losses
        broker.published += other.broker.published
        broker.refused += other.broker.refused
        broker.delivered += other.broker.delivered
        broker.report.add(countsOf: other.broker.report)
        history.recovered += other.history.recovered
        history.notRecovered += other.history.notRecovered
        presence.notKept += other.presence.notKept
        presence.malformed += other.presence.malformed
        refusals.add(other.refusals)
        closeCounts.add(other.closeCounts)
        causeCounts.add(other.causeCounts)
        failureCounts.add(other.failureCounts)
    }
}

extension JazzyBrokerReport {
    fileprivate mutating func add(countsOf other: Self) {
        reconnects += other.reconnects
        gaps += other.gaps
        received += other.received
        echoes += other.echoes
        duplicates += other.duplicates
        unreadable += other.unreadable
        dropped += other.dropped
    }
}

extension JazzyMessageCounts {
    fileprivate mutating func add(_ other: Self) {
        text += other.text
        binary += other.binary
        ping += other.ping
        pong += other.pong
    }
}

extension [Int] {
    /// Adds the counts of the same index. The counts of a server that does not listen are empty.
    fileprivate mutating func add(_ other: Self) {
        if isEmpty { self = other } else { for (index, count) in zip(indices, other) { self[index] += count } }
    }
}

import JazzySwift

/// Turns a server's counters, which only grow, into values per second.
struct Sampler {
    private var last: JazzyStatistics
    private var lastTime: ContinuousClock.Instant

    init(_ statistics: JazzyStatistics, at time: ContinuousClock.Instant) {
        last = statistics
        lastTime = time
    }

    /// The values since the last call.
    mutating func sample(
        _ statistics: JazzyStatistics, at time: ContinuousClock.Instant
    ) -> [Topic: [String: Double]] {
        let before = last
        let seconds = (time - lastTime) / .seconds(1)
        last = statistics
        lastTime = time
        func perSecond(_ count: (JazzyStatistics) -> Int) -> Double {
            rounded(Double(count(statistics) - count(before)) / seconds)
        }
        return [
            .connections: [
                "open": Double(statistics.webSockets),
                "openedPerSecond": perSecond { $0.webSocketsTotal },
                "closedPerSecond": perSecond { $0.closesTotal },
                "refusedPerSecond": perSecond { $0.refusedTotal },
            ],
            .traffic: [
                "receivedPerSecond": perSecond { $0.messagesReceived.total },
                "sentPerSecond": perSecond { $0.messagesSent.total },
                "bytesSentPerSecond": perSecond { $0.bytesSent.total },
                "droppedPerSecond": perSecond { $0.dropped },
                "bufferedBytes": Double(statistics.bufferedBytes),
            ],
            .loops: [
                "iterationsPerSecond": perSecond { $0.iterations },
                "busyMillisecondsPerSecond": perSecond { Int($0.iterationTime / .milliseconds(1)) },
                "lagMilliseconds": rounded(statistics.lag / .milliseconds(1)),
            ],
        ]
    }
}

/// Two decimals are enough to draw, and make short messages.
private func rounded(_ value: Double) -> Double { (value * 100).rounded() / 100 }

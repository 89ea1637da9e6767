import JazzySwift

/// Publishes samples of a server to its own subscribers, ten times a second.
struct Feed: Sendable {
    let server: JazzyServer
    var period = Duration.milliseconds(100)

    func run() async throws {
        let clock = ContinuousClock()
        var next = clock.now
        var sampler = Sampler(server.statistics, at: next)
        for number in 1... {
            // Counted from the last deadline, not from now: so the time that the work takes does not add up. After a
            // pause, for instance of the whole machine, there is no burst of what was missed.
            next = max(next + period, clock.now)
            try await clock.sleep(until: next)
            let samples = sampler.sample(server.statistics, at: clock.now)
            for (topic, values) in samples where server.subscriberCount(topic.rawValue) > 0 {
                try server.publish(
                    topic.rawValue, json: Update.sample(topic: topic, number: number, values: values))
            }
        }
    }
}

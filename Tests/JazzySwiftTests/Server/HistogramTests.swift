import CJazzyPoll
import Testing

@testable import JazzySwift

@Suite("Histograms of times", .ownThreads)
struct HistogramTests {
    /// Of times up to 100 ns, up to 200 ns, and above.
    private static func histogram(_ counts: [UInt64], sum: UInt64) -> JazzyStatistics.Histogram {
        var core = jz_times()
        core.bucket_count = 3
        (core.bounds.0, core.bounds.1, core.bounds.2) = (100, 200, .max)
        (core.counts.0, core.counts.1, core.counts.2) = (counts[0], counts[1], counts[2])
        core.sum = sum
        return JazzyStatistics.Histogram(core)
    }

    @Test("Each number of the core comes to its place")
    func places() {
        let histogram = Self.histogram([6, 3, 1], sum: 1_000)
        #expect(histogram.buckets.map(\.upperBound) == [.nanoseconds(100), .nanoseconds(200), nil])
        #expect(histogram.buckets.map(\.count) == [6, 3, 1])
        #expect((histogram.count, histogram.sum, histogram.mean) == (10, .nanoseconds(1_000), .nanoseconds(100)))
    }

    @Test(
        "A percentile is interpolated between bounds",
        arguments: [(0.0, 0), (30, 50), (60, 100), (75, 150), (90, 200), (95, 200), (100, 200)])
    func percentiles(percent: Double, expected: Int) {
        #expect(Self.histogram([6, 3, 1], sum: 1_000).percentile(percent) == .nanoseconds(expected))
    }

    @Test("Without times all is zero")
    func empty() {
        let none = JazzyStatistics.Histogram()
        #expect((none.count, none.mean, none.percentile(50)) == (0, .zero, .zero))
        #expect(Self.histogram([0, 0, 0], sum: 0).percentile(99) == .zero)
    }

    @Test("What has come since is the difference")
    func since() {
        let (now, before) = (Self.histogram([6, 3, 1], sum: 1_000), Self.histogram([2, 3, 2], sum: 700))
        let since = now.since(before)
        #expect(since.buckets.map(\.count) == [4, 0, 0])
        #expect(since.sum == .nanoseconds(300))
        #expect(now.since(JazzyStatistics.Histogram()) == now)
    }

    @Test("A server measures its loops, and the rest if it has a page for that", arguments: [false, true])
    func measured(isMeasured: Bool) throws {
        try withServer {
            if isMeasured { $0.metrics() }
            $0.ws("/") { ws, event, message in if event == .message { ws.send(message.bytes, kind: message.kind) } }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            for _ in 0..<200 {
                try client.send("four")
                #expect(try client.receiveText() == "four")
            }
            try client.sendClose(code: 1_000)
            _ = try client.receive()
            try eventually("it has ended") { server.statistics.closesTotal == 1 }
            let statistics = server.statistics
            #expect(statistics.iterationTimes.count >= 200)
            #expect(statistics.iterationTimes.percentile(50) <= statistics.iterationTimes.percentile(99))
            #expect(statistics.iterationTimes.mean > .zero)
            #expect((statistics.handlerTimes.count > 0) == isMeasured)
            #expect(statistics.webSocketTimes.count == (isMeasured ? 1 : 0))
            #expect(statistics.pingTimes.count == 0)
            if isMeasured { try eventually("it was late, or not") { server.statistics.lateness.count > 0 } }
        }
    }

    @Test("Times of all runs of a server are added")
    func lifetime() throws {
        let server = JazzyServer()
        var before = 0
        for _ in 0..<2 {
            try server.start(host: "127.0.0.1", port: 0)
            #expect(try TestHandshake(port: server.port, path: "/nowhere").receiveStatus() == 404)
            server.stop()
            server.wait()
            #expect(server.lifetimeStatistics.iterationTimes.count > before)
            before = server.lifetimeStatistics.iterationTimes.count
        }
    }
}

#if JazzyMetrics
    import Foundation
    import JazzyMetrics
    import JazzySwift
    import JazzyTesting
    import MetricsTestKit
    import Testing

    @Suite("The statistics of a server, in swift-metrics")
    struct MetricsTests {
        static func server() -> JazzyServer {
            let server = JazzyServer()
            server.ws("/") { ws, event, message in
                if event == .message, message.kind == .text { ws.send(message.text + "!") }
            }
            return server
        }

        static func gauge(_ name: String, of metrics: TestMetrics) throws -> Double? {
            try metrics.expectGauge(name).lastValue
        }

        @Test("What a server does is recorded by kind, reason, code, cause and rule")
        func values() async throws {
            let factory = TestMetrics()
            let server = Self.server()
            let metrics = JazzyServerMetrics(server, factory: factory)
            try server.start(host: "127.0.0.1", port: 0)
            let client = try await JazzyTestClient(server, "/")
            try await client.send("four")
            #expect(try await client.message().text == "four!")
            #expect(try await JazzyTestClient.response(of: server, "/nowhere").status == 404)
            let broken = try await JazzyTestClient(server, "/")
            try await broken.send(raw: [0x81, 0x01, 0x41])
            try await broken.awaitClose()
            try await broken.awaitEnd()
            metrics.record()

            #expect(try Self.gauge("jazzy_websockets", of: factory) == 1)
            #expect(factory.total("jazzy_websockets_opened_total") == 2)
            #expect(factory.total("jazzy_connections_opened_total") == 3)
            #expect(factory.total("jazzy_messages_received_total", ("kind", "text")) == 1)
            #expect(factory.total("jazzy_received_bytes_total", ("kind", "text")) == 4)
            #expect(factory.total("jazzy_sent_bytes_total", ("kind", "text")) == 5)
            #expect(factory.total("jazzy_messages_sent_total", ("kind", "binary")) == 0)
            #expect(factory.total("jazzy_refused_total", ("reason", "not_found")) == 1)
            #expect(factory.total("jazzy_refused_total") == 1)
            #expect(factory.total("jazzy_closes_total", ("code", "1002")) == 1)
            #expect(factory.total("jazzy_closes_by_cause_total", ("cause", "failure")) == 1)
            #expect(factory.total("jazzy_failures_total", ("rule", "not_masked")) == 1)
            #expect(factory.total("jazzy_loop_iterations_total") > 0)
            #expect(try Self.gauge("jazzy_loop_longest_seconds", of: factory) ?? 0 > 0)
            #expect(try Self.gauge("jazzy_broker_joined", of: factory) == 0)
            await server.stopAndWait(grace: .seconds(10))
        }

        @Test("What histories keep is recorded, and who continued, also over a restart")
        func history() async throws {
            let factory = TestMetrics()
            let server = Self.server()
            server.history("feed", keep: 10, for: .seconds(60))
            server.resumable("/feed", topic: "feed")
            let metrics = JazzyServerMetrics(server, factory: factory)
            for run in Int64(1)...2 {
                try server.start(host: "127.0.0.1", port: 0)
                for text in ["one", "two"] { server.publish("feed", text) }
                let position = server.recent("feed", 1).position
                for since in ["\(position)", "\(JazzyPosition(epoch: 1, offset: 7))"] {
                    let client = try await JazzyTestClient(
                        server, "/feed?since=\(since)", headers: ["Sec-WebSocket-Protocol": "jazzy.resume.1"])
                    _ = try await client.message()
                }
                metrics.record()
                #expect(try Self.gauge("jazzy_history_topics", of: factory) == 1)
                #expect(try Self.gauge("jazzy_history_messages", of: factory) == 2)
                #expect(try Self.gauge("jazzy_history_bytes", of: factory) ?? 0 > 6)
                #expect(factory.total("jazzy_history_resumptions_total", ("result", "recovered")) == run)
                #expect(factory.total("jazzy_history_resumptions_total", ("result", "not_recovered")) == run)
                await server.stopAndWait(grace: .seconds(10))
            }
        }

        @Test("How many members topics have is recorded")
        func members() async throws {
            let factory = TestMetrics()
            let server = Self.server()
            server.ws("/as") { ws, event, _ in
                guard event == .open else { return }
                try ws.subscribe("room", as: "Ada")
                ws.send("welcome")
            }
            let metrics = JazzyServerMetrics(server, factory: factory)
            try server.start(host: "127.0.0.1", port: 0)
            let client = try await JazzyTestClient(server, "/as")
            #expect(try await client.message().text == "welcome")
            metrics.record()
            #expect(try Self.gauge("jazzy_presence_topics", of: factory) == 1)
            #expect(try Self.gauge("jazzy_presence_members", of: factory) == 1)
            #expect(try Self.gauge("jazzy_presence_bytes", of: factory) ?? 0 > 3)
            #expect(try Self.gauge("jazzy_presence_members_elsewhere", of: factory) == 0)
            #expect(factory.total("jazzy_presence_not_kept_total") == 0)
            await server.stopAndWait(grace: .seconds(10))
        }

        @Test("Counters are given differences, go on over a restart, and miss nothing of a server's end")
        func differences() async throws {
            let factory = TestMetrics()
            let server = Self.server()
            let metrics = JazzyServerMetrics(server, factory: factory)
            for run in Int64(1)...3 {
                try server.start(host: "127.0.0.1", port: 0)
                let client = try await JazzyTestClient(server, "/")
                if run == 2 { metrics.record() }
                async let end = server.stopAndWait(code: 3_123, grace: .seconds(10))
                #expect(try await client.awaitClose().code == 3_123)
                _ = try await end
                metrics.record()
                metrics.record()
                #expect(factory.total("jazzy_websockets_opened_total") == run)
                #expect(factory.total("jazzy_closes_total", ("code", "3000-3999")) == run)
                #expect(factory.total("jazzy_closes_by_cause_total", ("cause", "stopping")) == run)
                #expect(try Self.gauge("jazzy_websockets", of: factory) == 0)
            }
        }

        @Test("They are recorded again and again, and a last time when the task is cancelled")
        func recording() async throws {
            let factory = TestMetrics()
            let server = Self.server()
            let metrics = JazzyServerMetrics(server, every: .milliseconds(1), factory: factory)
            let recording = Task { await metrics.recordUntilCancelled() }
            let gauge = try factory.expectGauge("jazzy_connections")
            while gauge.values.count < 3 { await Task.yield() }
            recording.cancel()
            await recording.value
            let count = gauge.values.count
            let never = Task {
                await JazzyServerMetrics(server, every: .seconds(3_600), factory: factory).recordUntilCancelled()
            }
            never.cancel()
            await never.value
            #expect(gauge.values.count > count)
        }

        @Test("Dimensions of one's own are in all metrics, and what is in the table is what there is")
        func names() throws {
            let factory = TestMetrics()
            _ = JazzyServerMetrics(JazzyServer(), dimensions: [("server", "chat")], factory: factory)
            let counters = factory.counters
            let gauges = factory.recorders
            #expect(counters.allSatisfy { $0.dimensions.first.map { $0 == ("server", "chat") } ?? false })
            #expect(gauges.allSatisfy { $0.dimensions.count == 1 })
            let source = try String(
                contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
                    .appending(path: "../../Sources/JazzyMetrics/JazzyServerMetrics.swift"), encoding: .utf8)
            let documented = Set(source.matches(of: /\| `(jazzy_\w+)` \| (\w+) \|/).map { "\($0.2) \($0.1)" })
            // A counter of fractions is made of a counter of whole numbers, by default.
            let made = Set(counters.map { "counter \($0.label)" } + gauges.map { "gauge \($0.label)" })
            #expect(documented == made)
        }
    }

    extension TestMetrics {
        /// The sum of the counters with this label and these dimensions, whatever others they have.
        fileprivate func total(_ label: String, _ dimensions: (String, String)...) -> Int64 {
            let found = counters.filter { counter in
                counter.label == label && dimensions.allSatisfy { each in counter.dimensions.contains { $0 == each } }
            }
            return found.reduce(0) { $0 + $1.totalValue }
        }
    }
#endif

#if JazzyMetrics
    import Metrics
    import JazzySwift

    /// The metrics of a server, each with what it records of the statistics.
    struct Instruments: Sendable {
        private typealias Recording = @Sendable (_ now: JazzyStatistics, _ before: JazzyStatistics) -> Void

        private let dimensions: [(String, String)]
        private let factory: any MetricsFactory
        private var recordings: [Recording] = []

        init(dimensions: [(String, String)], factory: any MetricsFactory) {
            self.dimensions = dimensions
            self.factory = factory
            addConnections()
            addMessages()
            addEnds()
            addLoops()
            addBroker()
            addHistory()
            addPresence()
        }

        func record(_ now: JazzyStatistics, since before: JazzyStatistics) {
            for record in recordings { record(now, before) }
        }

        private mutating func addConnections() {
            gauge("connections") { Double($0.connections) }
            gauge("connections_peak") { Double($0.connectionsPeak) }
            counter("connections_opened_total") { $0.connectionsTotal }
            gauge("websockets") { Double($0.webSockets) }
            counter("websockets_opened_total") { $0.webSocketsTotal }
            gauge("handshakes") { Double($0.handshakes) }
            for reason in JazzyRefusal.allCases {
                counter("refused_total", ("reason", reason.name)) { $0.refused(for: reason) }
            }
        }

        private mutating func addMessages() {
            let kinds: [(WsMessageKind, String)] = [
                (.text, "text"), (.binary, "binary"), (.ping, "ping"), (.pong, "pong"),
            ]
            for (kind, name) in kinds {
                counter("messages_received_total", ("kind", name)) { $0.messagesReceived[kind] }
                counter("received_bytes_total", ("kind", name)) { $0.bytesReceived[kind] }
                counter("messages_sent_total", ("kind", name)) { $0.messagesSent[kind] }
                counter("sent_bytes_total", ("kind", name)) { $0.bytesSent[kind] }
            }
            counter("messages_dropped_total") { $0.dropped }
            counter("message_rate_exceeded_total", ("action", "close")) { $0.messageRate.closes }
            counter("message_rate_exceeded_total", ("action", "pause")) { $0.messageRate.pauses }
            counter("message_rate_exceeded_total", ("action", "drop")) { $0.messageRate.drops }
            gauge("buffered_bytes") { Double($0.bufferedBytes) }
        }

        private mutating func addEnds() {
            // One code of each group that is counted together, and the group's name.
            let groups: [(UInt16, String)] = [(1016, "1016-2999"), (3000, "3000-3999"), (4000, "4000-4999")]
            for (code, name) in (UInt16(1000)...1015).map({ ($0, String($0)) }) + groups {
                counter("closes_total", ("code", name)) { $0.closes(code: code) }
            }
            for cause in WsClose.Cause.allCases {
                counter("closes_by_cause_total", ("cause", cause.name)) { $0.closes(cause: cause) }
            }
            for rule in WsError.Rule.allCases {
                counter("failures_total", ("rule", rule.name)) { $0.failures(rule) }
            }
        }

        private mutating func addLoops() {
            counter("loop_iterations_total") { $0.iterations }
            seconds("loop_seconds_total") { $0.iterationTime }
            gauge("loop_longest_seconds") { $0.longestIteration.inSeconds }
            gauge("loop_lag_seconds") { $0.lag.inSeconds }
        }

        private mutating func addBroker() {
            gauge("broker_joined") { $0.broker.isJoined ? 1 : 0 }
            gauge("broker_topics") { Double($0.broker.topics) }
            counter("broker_losses_total") { $0.broker.losses }
            counter("broker_published_total") { $0.broker.published }
            counter("broker_refused_total") { $0.broker.refused }
            counter("broker_delivered_total") { $0.broker.delivered }
            gauge("broker_up") { $0.broker.isUp ? 1 : 0 }
            gauge("broker_queued_bytes") { Double($0.broker.queuedBytes) }
            gauge("broker_queued_messages") { Double($0.broker.queuedMessages) }
            gauge("broker_lag_seconds") { $0.broker.lag.inSeconds }
            gauge("broker_refused_topics") { Double($0.broker.refusedTopics) }
            counter("broker_reconnects_total") { $0.broker.reconnects }
            counter("broker_gaps_total") { $0.broker.gaps }
            counter("broker_received_total") { $0.broker.received }
            counter("broker_echoes_total") { $0.broker.echoes }
            counter("broker_duplicates_total") { $0.broker.duplicates }
            counter("broker_unreadable_total") { $0.broker.unreadable }
            counter("broker_dropped_total") { $0.broker.dropped }
        }

        private mutating func addHistory() {
            gauge("history_topics") { Double($0.history.topics) }
            gauge("history_messages") { Double($0.history.messages) }
            gauge("history_bytes") { Double($0.history.bytes) }
            counter("history_resumptions_total", ("result", "recovered")) { $0.history.recovered }
            counter("history_resumptions_total", ("result", "not_recovered")) { $0.history.notRecovered }
        }

        private mutating func addPresence() {
            gauge("presence_topics") { Double($0.presence.topics) }
            gauge("presence_members") { Double($0.presence.members) }
            gauge("presence_bytes") { Double($0.presence.bytes) }
            gauge("presence_servers") { Double($0.presence.servers) }
            gauge("presence_members_elsewhere") { Double($0.presence.membersElsewhere) }
            counter("presence_not_kept_total") { $0.presence.notKept }
            counter("presence_malformed_total") { $0.presence.malformed }
        }

        private mutating func gauge(_ name: String, _ value: @escaping @Sendable (JazzyStatistics) -> Double) {
            let gauge = Gauge(label: "jazzy_" + name, dimensions: dimensions, factory: factory)
            recordings.append { now, _ in gauge.record(value(now)) }
        }

        private mutating func counter(
            _ name: String, _ dimension: (String, String)? = nil,
            _ value: @escaping @Sendable (JazzyStatistics) -> Int
        ) {
            let all = dimensions + (dimension.map { [$0] } ?? [])
            let counter = Counter(label: "jazzy_" + name, dimensions: all, factory: factory)
            recordings.append { now, before in
                let difference = value(now) - value(before)
                if difference > 0 { counter.increment(by: difference) }
            }
        }

        private mutating func seconds(_ name: String, _ value: @escaping @Sendable (JazzyStatistics) -> Duration) {
            let counter = FloatingPointCounter(label: "jazzy_" + name, dimensions: dimensions, factory: factory)
            recordings.append { now, before in
                let difference = value(now) - value(before)
                if difference > .zero { counter.increment(by: difference.inSeconds) }
            }
        }
    }

    extension Duration {
        fileprivate var inSeconds: Double { self / .seconds(1) }
    }
#endif

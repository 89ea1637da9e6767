#if JazzyMetrics
    import Metrics
    import JazzySwift
    import Synchronization

    /// Records the statistics of a server with swift-metrics, again and again.
    ///
    /// ```swift
    /// let metrics = JazzyServerMetrics(server, every: .seconds(10))
    /// let recording = Task { await metrics.recordUntilCancelled() }
    /// ```
    ///
    /// With the product JazzyServiceLifecycle it is a service: name it before the server in a `ServiceGroup`, which ends
    /// its services from the last to the first, so that the server's end is recorded, too.
    ///
    /// | metric | kind | dimension | what it is |
    /// | --- | --- | --- | --- |
    /// | `jazzy_connections` | gauge | | current connections, WebSockets and others |
    /// | `jazzy_connections_peak` | gauge | | the most at a time, since the server listens |
    /// | `jazzy_connections_opened_total` | counter | | all connections |
    /// | `jazzy_websockets` | gauge | | current WebSockets |
    /// | `jazzy_websockets_opened_total` | counter | | all WebSockets |
    /// | `jazzy_handshakes` | gauge | | current connections that are not WebSockets yet |
    /// | `jazzy_refused_total` | counter | `reason` | connections that were refused: `JazzyRefusal.name` |
    /// | `jazzy_messages_received_total` | counter | `kind` | received messages: `text`, `binary`, `ping`, `pong` |
    /// | `jazzy_received_bytes_total` | counter | `kind` | bytes of their payloads, decompressed |
    /// | `jazzy_messages_sent_total` | counter | `kind` | messages that were accepted for sending |
    /// | `jazzy_sent_bytes_total` | counter | `kind` | bytes of their payloads, before compression |
    /// | `jazzy_messages_dropped_total` | counter | | messages that were dropped: `JazzyServer.droppedCount` |
    /// | `jazzy_message_rate_exceeded_total` | counter | `action` | clients that sent too many messages: `close`, `pause`, `drop` |
    /// | `jazzy_buffered_bytes` | gauge | | bytes that wait to be sent |
    /// | `jazzy_closes_total` | counter | `code` | close events by code: `1000` to `1015`, `1016-2999`, `3000-3999`, `4000-4999` |
    /// | `jazzy_closes_by_cause_total` | counter | `cause` | close events by cause: `WsClose.Cause.name` |
    /// | `jazzy_failures_total` | counter | `rule` | connections that failed: `WsError.Rule.name` |
    /// | `jazzy_loop_iterations_total` | counter | | iterations of event loops |
    /// | `jazzy_loop_seconds_total` | counter | | the time in them, in seconds |
    /// | `jazzy_loop_longest_seconds` | gauge | | the longest, in seconds |
    /// | `jazzy_loop_lag_seconds` | gauge | | how long ready connections wait now: `JazzyStatistics.lag` |
    /// | `jazzy_broker_joined` | gauge | | 1 while the broker is connected, else 0 |
    /// | `jazzy_broker_topics` | gauge | | topics with subscribers here |
    /// | `jazzy_broker_losses_total` | counter | | lost connections of the broker |
    /// | `jazzy_broker_published_total` | counter | | publications that the broker accepted |
    /// | `jazzy_broker_refused_total` | counter | | publications that it did not accept |
    /// | `jazzy_broker_delivered_total` | counter | | publications of other processes |
    /// | `jazzy_broker_up` | gauge | | 1 while the broker is connected to what carries its messages, else 0 |
    /// | `jazzy_broker_queued_bytes` | gauge | | what waits in the broker |
    /// | `jazzy_broker_queued_messages` | gauge | | the same in messages |
    /// | `jazzy_broker_lag_seconds` | gauge | | how long the last message took to the broker and back |
    /// | `jazzy_broker_refused_topics` | gauge | | topics that the broker may not subscribe to |
    /// | `jazzy_broker_reconnects_total` | counter | | how often the broker connected again |
    /// | `jazzy_broker_gaps_total` | counter | | topics of which messages were, or may have been, lost |
    /// | `jazzy_broker_received_total` | counter | | messages of other processes that came |
    /// | `jazzy_broker_echoes_total` | counter | | messages of this process that came back |
    /// | `jazzy_broker_duplicates_total` | counter | | messages that had come before |
    /// | `jazzy_broker_unreadable_total` | counter | | messages that could not be read |
    /// | `jazzy_broker_dropped_total` | counter | | messages of this process that the broker gave up |
    /// | `jazzy_history_topics` | gauge | | topics of which a history is known |
    /// | `jazzy_history_messages` | gauge | | messages that histories keep |
    /// | `jazzy_history_bytes` | gauge | | the bytes that all this takes |
    /// | `jazzy_history_resumptions_total` | counter | `result` | subscriptions at a position: `recovered`, `not_recovered` |
    /// | `jazzy_presence_topics` | gauge | | topics that have members |
    /// | `jazzy_presence_members` | gauge | | members of topics |
    /// | `jazzy_presence_bytes` | gauge | | the bytes that all this takes |
    /// | `jazzy_presence_servers` | gauge | | other servers whose members are known |
    /// | `jazzy_presence_members_elsewhere` | gauge | | members on these, once for each server and topic |
    /// | `jazzy_presence_not_kept_total` | counter | | how often one of these, or a message about them, found no room |
    /// | `jazzy_presence_malformed_total` | counter | | messages about members that no server has sent |
    ///
    /// Counters go on where they are when a server that stopped is started again, and no count is lost in between. All
    /// names are known from the beginning, with 0.
    ///
    /// It never bootstraps the `MetricsSystem`, which is the application's, and has to be done before. It may be used
    /// from any thread.
    public final class JazzyServerMetrics: Sendable {
        private let server: JazzyServer
        private let interval: Duration
        private let instruments: Instruments
        /// What was recorded last. The lock is held while it is recorded, so that no count is recorded twice.
        private let recorded = Mutex(JazzyStatistics())

        /// Creates the metrics of a server.
        ///
        /// - Parameters:
        ///   - server: The server, whether it listens already or not.
        ///   - interval: The time from one recording to the next. The default is 10 s.
        ///   - dimensions: Dimensions for all metrics, for instance to tell the servers of a process apart.
        ///   - factory: What makes the metrics; `nil`, the default: that of the `MetricsSystem`.
        public init(
            _ server: JazzyServer, every interval: Duration = .seconds(10), dimensions: [(String, String)] = [],
            factory: (any MetricsFactory)? = nil
        ) {
            self.server = server
            self.interval = interval
            instruments = Instruments(dimensions: dimensions, factory: factory ?? MetricsSystem.factory)
        }

        /// Records the statistics of now.
        public func record() {
            recorded.withLock { before in
                let now = server.lifetimeStatistics
                instruments.record(now, since: before)
                before = now
            }
        }

        /// Records the statistics now, again after each interval, and a last time when the task is cancelled.
        public func recordUntilCancelled() async {
            while !Task.isCancelled {
                record()
                try? await Task.sleep(for: interval)
            }
            record()
        }
    }
#endif

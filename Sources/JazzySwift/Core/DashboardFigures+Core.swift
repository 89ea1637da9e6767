import CJazzyPoll

extension JazzyServerHandle {
    /// `nil` if the server is gone, or if there is no memory.
    var figures: DashboardFigures? { withCalls { $0.figures } ?? nil }
}

extension ServerCalls {
    /// From any thread, without stopping the event loops. `nil`: there is no memory.
    fileprivate var figures: DashboardFigures? {
        var options = jz_look_options(topics: 12, receivers: 12, incidents: 24)
        guard let look = jz_server_look(core, &options, nil) else { return nil }
        defer { jz_look_free(look) }
        var figures = DashboardFigures(look.pointee)
        figures.server.port = port
        figures.history = DashboardFigures.History(JazzyHistoryStatistics(of: core))
        return figures
    }
}

extension DashboardFigures {
    fileprivate init(_ look: jz_look) {
        self.init(look.statistics)
        server.version = String(cString: jz_version())
        server.state = String(cString: look.state)
        loops = UnsafeBufferPointer(start: look.loops, count: look.loop_count).map(Loop.init)
        workers = Workers(
            threads: Int(look.workers.threads), busy: Int(look.workers.busy), queued: Int(clamping: look.workers.queued)
        )
        if look.has_broker { broker = Broker(look.statistics.broker) }
        if look.transports.are_there { tls = TLS(look.transports) }
        process = Process(look.process)
        topics = UnsafeBufferPointer(start: look.topics, count: look.topic_count).map(Topic.init)
        topicsNs = Int(clamping: look.topics_ns)
        receivers = UnsafeBufferPointer(start: look.receivers, count: look.receiver_count).map(Receiver.init)
        incidents = UnsafeBufferPointer(start: look.incidents, count: look.incident_count).map(Incident.init)
        incidentsTotal = counts(look.incidents_total) {
            String(cString: jz_incident_kind_name(jz_incident_kind(UInt32($0))))
        }
    }
}

extension DashboardFigures {
    private init(_ core: jz_statistics) {
        connections = Connections(
            now: Int(clamping: core.connections), peak: Int(clamping: core.connections_peak),
            total: Int(clamping: core.connections_total), handshakes: Int(clamping: core.handshakes),
            websocketsNow: Int(clamping: core.websockets), websocketsTotal: Int(clamping: core.websockets_total))
        messages = Messages(
            received: Kinds(core.messages_received), receivedBytes: Kinds(core.bytes_received),
            sent: Kinds(core.messages_sent), sentBytes: Kinds(core.bytes_sent), dropped: Int(clamping: core.dropped),
            bufferedBytes: Int(clamping: core.buffered_bytes),
            rateExceeded: counts(core.exceeded) { ["close", "pause", "drop"][$0] })
        refused = counts(core.refused) { String(cString: jz_refusal_name(jz_refusal(UInt32($0)))) }
        closes.codes = counts(core.closes, nameOfCode)
        closes.causes = counts(core.causes) { String(cString: jz_close_cause_name(jz_close_cause(UInt32($0)))) }
        failures = counts(core.failures) { String(cString: jz_failure_name(jz_failure(UInt32($0)))) }
        failures["none"] = nil
        iterations = Iterations(
            total: Int(clamping: core.iterations), timeNs: Int(clamping: core.iteration_time),
            longestNs: Int(clamping: core.longest_iteration), lagNs: Int(clamping: core.lag))
    }
}

extension DashboardFigures.Loop {
    fileprivate init(_ core: jz_loop_look) {
        self.init(
            websockets: Int(clamping: core.websockets), topics: Int(clamping: core.topics),
            subscriptions: Int(clamping: core.subscriptions),
            received: DashboardFigures.Kinds(core.messages_received).sum,
            sent: DashboardFigures.Kinds(core.messages_sent).sum, dropped: Int(clamping: core.dropped),
            bufferedBytes: Int(clamping: core.buffered_bytes), iterations: Int(clamping: core.iterations),
            timeNs: Int(clamping: core.iteration_time), longestNs: Int(clamping: core.longest_iteration),
            lagNs: Int(clamping: core.lag))
    }
}

extension DashboardFigures.Broker {
    fileprivate init(_ core: jz_broker_statistics) {
        let report = core.report
        self.init(
            isJoined: core.joined != 0, isUp: report.is_up, losses: Int(clamping: core.losses),
            topics: Int(clamping: core.topics), published: Int(clamping: core.published),
            refused: Int(clamping: core.refused), delivered: Int(clamping: core.delivered),
            reconnects: Int(clamping: report.reconnects), gaps: Int(clamping: report.gaps),
            received: Int(clamping: report.received), echoes: Int(clamping: report.echoes),
            duplicates: Int(clamping: report.duplicates), unreadable: Int(clamping: report.unreadable),
            dropped: Int(clamping: report.dropped), queuedBytes: Int(clamping: report.queued_bytes),
            queuedMessages: Int(clamping: report.queued_messages), refusedTopics: Int(clamping: report.refused_topics),
            lagNs: Int(clamping: report.lag_us).multipliedReportingOverflow(by: 1_000).partialValue)
    }
}

extension DashboardFigures.History {
    fileprivate init?(_ kept: JazzyHistoryStatistics) {
        guard kept.topics + kept.recovered + kept.notRecovered > 0 else { return nil }
        self.init(
            topics: kept.topics, messages: kept.messages, bytes: kept.bytes, recovered: kept.recovered,
            notRecovered: kept.notRecovered)
    }
}

extension DashboardFigures.TLS {
    fileprivate init(_ core: jz_transports_look) {
        self.init(
            full: Int(clamping: core.handshakes) - Int(clamping: core.resumed), resumed: Int(clamping: core.resumed),
            failed: Int(clamping: core.failed), reloads: Int(clamping: core.reloads),
            failedReloads: Int(clamping: core.failed_reloads), expires: core.expires == 0 ? nil : Int(core.expires))
    }
}

extension DashboardFigures.Process {
    fileprivate init(_ core: jz_process_look) {
        func known(_ value: UInt64) -> Int? { value == .max ? nil : Int(clamping: value) }
        self.init(
            cpuNs: known(core.cpu_ns), residentBytes: known(core.resident_bytes),
            virtualBytes: known(core.virtual_bytes), descriptors: known(core.descriptors),
            maxDescriptors: known(core.max_descriptors))
    }
}

extension DashboardFigures.Topic {
    fileprivate init(_ core: jz_topic_look) {
        self.init(
            name: nameOfTopic(core), isCut: core.is_cut, subscribers: Int(clamping: core.subscribers),
            publications: Int(clamping: core.publications), deliveries: Int(clamping: core.deliveries),
            bytes: Int(clamping: core.bytes))
    }
}

extension DashboardFigures.Receiver {
    fileprivate init(_ core: jz_receiver_look) {
        self.init(
            address: characters(core.address), route: core.route.map { String(cString: $0) },
            unsentBytes: Int(clamping: core.unsent_bytes), loop: Int(core.loop))
    }
}

extension DashboardFigures.Incident {
    fileprivate init(_ core: jz_incident) {
        self.init(
            kind: String(cString: jz_incident_kind_name(core.kind)), number: Int(clamping: core.number),
            loop: Int(core.loop), timeMs: Int(clamping: core.time_ms), reason: String(cString: core.reason),
            text: characters(core.text), closeCode: core.close_code == 0 ? nil : Int(core.close_code),
            route: core.route.map { String(cString: $0) }, address: characters(core.address))
    }
}

extension DashboardFigures.Kinds {
    fileprivate var sum: Int { text + binary + ping + pong }

    /// By `jz_message_kind`.
    fileprivate init(_ core: (UInt64, UInt64, UInt64, UInt64)) {
        self.init(
            text: Int(clamping: core.0), binary: Int(clamping: core.1), ping: Int(clamping: core.2),
            pong: Int(clamping: core.3))
    }
}

/// As the page for metrics names them: other codes than 1000 to 1015 are counted in groups.
private func nameOfCode(_ index: Int) -> String {
    let groups = ["1016-2999", "3000-3999", "4000-4999"]
    return index < 16 ? "\(1_000 + index)" : groups[index - 16]
}

/// Swift imports a C array as a tuple; here all elements are counts.
private func counts<Tuple: BitwiseCopyable>(_ tuple: Tuple, _ name: (Int) -> String) -> [String: Int] {
    withUnsafeBytes(of: tuple) { bytes in
        bytes.withMemoryRebound(to: UInt64.self) { counts in
            Dictionary(uniqueKeysWithValues: counts.enumerated().map { (name($0), Int(clamping: $1)) })
        }
    }
}

/// Any bytes, also NUL. Where a name is cut in a character, that is left out.
private func nameOfTopic(_ core: jz_topic_look) -> String {
    let name = withUnsafeBytes(of: core.name) { String(decoding: $0.prefix(core.name_length), as: UTF8.self) }
    return core.is_cut && name.last == "\u{FFFD}" ? String(name.dropLast()) : name
}

/// The characters of a C array before its first NUL.
private func characters<Tuple: BitwiseCopyable>(_ tuple: Tuple) -> String {
    withUnsafeBytes(of: tuple) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}

import Foundation

/// The lines of a sample, with the rates since the one before.
struct Screen {
    let now, before: Sample
    let address: String

    var lines: [String] {
        [title, "", connections, flow("messages/s", rate) { [$0.messages.received, $0.messages.sent] }]
            + [flow("bytes/s", size) { [$0.messages.receivedBytes, $0.messages.sentBytes] }, output, ""]
            + [ends("refused", now.refused, before.refused), ends("failed", now.failures, before.failures)]
            + [ends("closed", now.closes.codes, before.closes.codes), machinery]
            + table(
                ["LOOP", "WEBSOCKETS", "RECEIVED/S", "SENT/S", "TOPICS", "UNSENT", "LAG", "LONGEST", "BUSY"],
                now.loops.indices.map(loop))
            + table(
                ["TOPIC", "SUBSCRIBERS", "PUBLISHED/S", "DELIVERED/S"],
                now.topics.prefix(5).map {
                    [cut($0.name, to: 40), count($0.subscribers)]
                        + [$0.publications, $0.deliveries].map { rate(Double($0) / topicSeconds) }
                })
            + table(
                ["SLOWEST RECEIVER", "UNSENT"],
                now.receivers.prefix(5).map { [cut("\($0.address) \($0.route ?? "")", to: 60), size($0.unsentBytes)] })
            + table(
                ["LAST REFUSALS, FAILURES AND LOSSES", ""],
                now.incidents.prefix(8).map { ["\(clock($0.timeMs)) \($0.kind) \($0.address): \($0.text)", ""] })
    }

    private var title: String {
        "jazzy-top  \(address)  \(now.server.state)  up \(lasting(now.uptimeNs))  version \(now.server.version)  "
            + clock(now.timeMs)
    }

    private var connections: String {
        let all = now.connections
        return named("WebSockets", count(all.websocketsNow)) + "  \(count(all.websocketsTotal)) in all; connections: "
            + "\(count(all.now)), at most \(count(all.peak)), in handshakes \(count(all.handshakes))"
    }

    private func flow(_ name: String, _ unit: (Double) -> String, _ both: (Sample) -> [[String: Int]]) -> String {
        let rates = [0, 1].map { direction in unit(perSecond { sum(both($0)[direction]) }) }
        return named(name, rates[0]) + " received  \(rates[1]) sent"
    }

    private var output: String {
        named("unsent", size(now.messages.bufferedBytes)) + "  \(count(now.messages.dropped)) messages dropped; "
            + "lag \(time(now.iterations.lagNs)), longest \(time(now.iterations.longestNs))"
    }

    private func ends(_ name: String, _ counts: [String: Int], _ former: [String: Int]) -> String {
        let all = counts.filter { $0.value > 0 }.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
        let most = all.prefix(4).map { "\($0.key.replacing("_", with: " ")) \(count($0.value))" }
        return named(name, count(sum(counts))) + "  \(rate(perSecond(sum(counts), sum(former))))/s  "
            + most.joined(separator: ", ")
    }

    private var machinery: String {
        var parts = ["workers \(now.workers.busy) of \(now.workers.threads), waiting \(now.workers.queued)"]
        if let cpu = now.process.cpuNs, let former = before.process.cpuNs {
            parts.append("processor \(percent(perSecond(cpu, former) / 1e9))")
        }
        if let memory = now.process.residentBytes { parts.append("memory \(size(memory))") }
        if let open = now.process.descriptors { parts.append("descriptors \(count(open))") }
        if let broker = now.broker {
            parts.append(
                "broker \(broker.isJoined ? "joined" : "APART"), lag \(time(broker.lagNs)), gaps \(broker.gaps)")
        }
        if let tls = now.tls { parts.append("TLS \(count(tls.full &+ tls.resumed)), failed \(count(tls.failed))") }
        if let kept = now.history { parts.append("history \(count(kept.messages)) messages, \(size(kept.bytes))") }
        return parts.joined(separator: "; ")
    }

    private func loop(_ number: Int) -> [String] {
        let loop = now.loops[number]
        let former = before.loops.indices.contains(number) ? before.loops[number] : loop
        return [
            "\(number)", count(loop.websockets), rate(perSecond(loop.received, former.received)),
            rate(perSecond(loop.sent, former.sent)), count(loop.topics), size(loop.bufferedBytes), time(loop.lagNs),
            time(loop.longestNs), percent(perSecond(loop.timeNs, former.timeNs) / 1e9),
        ]
    }

    /// Nothing if there are no rows. The first column is to the left, the others to the right.
    private func table(_ heads: [String], _ rows: [[String]]) -> [String] {
        guard !rows.isEmpty else { return [] }
        let all = [heads] + rows
        let widths = heads.indices.map { column in all.map { width(of: $0[column]) }.max() ?? 0 }
        let lines = all.map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - width(of: row[column]))
                return column == 0 ? row[column] + padding : padding + row[column]
            }.joined(separator: "  ")
        }
        return [""] + lines
    }

    // As what it calls itself, a server may send any numbers: none may overflow.
    private var seconds: Double { max(1e-9, (Double(now.uptimeNs) - Double(before.uptimeNs)) / 1e9) }
    private var topicSeconds: Double { max(1e-9, Double(now.topicsNs) / 1e9) }

    private func perSecond(_ now: Int, _ before: Int) -> Double { max(0, Double(now) - Double(before)) / seconds }
    private func perSecond(_ count: (Sample) -> Int) -> Double { perSecond(count(now), count(before)) }
    private func sum(_ counts: [String: Int]) -> Int { counts.values.reduce(0, &+) }

    private func named(_ name: String, _ value: String) -> String {
        name + String(repeating: " ", count: max(1, 22 - name.count - value.count)) + value
    }
}

private func count(_ value: Int) -> String {
    var digits = Array(String(value.magnitude))
    for place in stride(from: digits.count - 3, to: 0, by: -3) { digits.insert(",", at: place) }
    return (value < 0 ? "-" : "") + String(digits)
}

private func scaled(_ value: Double, _ units: [String]) -> String {
    var (value, place) = (value, 0)
    while value >= 999.5, place < units.count - 1 { (value, place) = (value / 1_000, place + 1) }
    let digits = value == 0 || value >= 99.5 || value == value.rounded() ? 0 : value >= 9.95 ? 1 : 2
    return String(format: "%.\(digits)f", value) + units[place]
}

private func rate(_ value: Double) -> String {
    (99.5..<1e15).contains(value) ? count(Int(value.rounded())) : scaled(value, [""])
}
private func size(_ bytes: Double) -> String { scaled(bytes, [" B", " kB", " MB", " GB", " TB"]) }
private func size(_ bytes: Int) -> String { size(Double(bytes)) }
private func time(_ ns: Int) -> String { scaled(Double(ns), [" ns", " µs", " ms", " s"]) }
private func percent(_ share: Double) -> String { String(format: "%.0f %%", share * 100) }

private func lasting(_ ns: Int) -> String {
    let seconds = ns / 1_000_000_000
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60)
    if days > 0 { return "\(days) d \(hours) h" }
    return hours > 0 ? "\(hours) h \(minutes) min" : minutes > 0 ? "\(minutes) min \(seconds % 60) s" : "\(seconds) s"
}

private func clock(_ ms: Int) -> String {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.dateFormat = "HH:mm:ss"
    return formatter.string(from: Date(timeIntervalSince1970: Double(ms) / 1_000))
}

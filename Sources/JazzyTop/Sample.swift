/// What comes from a dashboard (the guide "Dashboard"), as far as it is shown here.
struct Sample: Decodable, Sendable {
    struct Server: Decodable { let version, state: String }
    struct Connections: Decodable { let now, peak, total, handshakes, websocketsNow, websocketsTotal: Int }
    struct Messages: Decodable {
        let received, receivedBytes, sent, sentBytes: [String: Int]
        let dropped, bufferedBytes: Int
    }
    struct Closes: Decodable { let codes: [String: Int] }
    struct Iterations: Decodable { let longestNs, lagNs: Int }
    struct Loop: Decodable {
        let websockets, topics, received, sent, bufferedBytes, timeNs, longestNs, lagNs: Int
    }
    struct Workers: Decodable { let threads, busy, queued: Int }
    struct Broker: Decodable { let isJoined: Bool, lagNs, queuedMessages, gaps: Int }
    struct TLS: Decodable { let full, resumed, failed: Int, expires: Int? }
    struct History: Decodable { let topics, messages, bytes: Int }
    struct Process: Decodable { let cpuNs, residentBytes, descriptors: Int? }
    struct Topic: Decodable { let name: String, subscribers, publications, deliveries: Int }
    struct Receiver: Decodable { let address: String, route: String?, unsentBytes: Int }
    struct Incident: Decodable { let timeMs: Int, kind, text, address: String }

    let format, number, timeMs, uptimeNs, topicsNs: Int
    let server: Server, connections: Connections, messages: Messages, closes: Closes
    let refused, failures: [String: Int]
    let iterations: Iterations, loops: [Loop], workers: Workers, process: Process
    let broker: Broker?, tls: TLS?, history: History?
    let topics: [Topic], receivers: [Receiver], incidents: [Incident]
}

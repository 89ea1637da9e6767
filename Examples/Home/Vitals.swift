import JazzySwift

/// A few numbers of this server for its home page, once a second.
actor Vitals {
    /// What a viewer is told, in JSON.
    private enum Update: Encodable {
        /// First: the messages of each of the last seconds.
        case welcome(history: [Int])
        case vitals(connections: Int, messages: Int, perSecond: Int, upSeconds: Int, people: Int, rooms: Int)
    }

    private static let shown = 48

    private let lobby: Lobby
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var history = Array(repeating: 0, count: shown)
    private var messages = 0

    init(of lobby: Lobby) {
        self.lobby = lobby
        start = clock.now
    }

    /// A viewer's visit, until the connection ends.
    func receive(_ ws: JazzyWebSocket, _ messages: WsMessages) async throws {
        try ws.send(json: Update.welcome(history: history))
        try await ws.send(json: current())
        ws.subscribe("vitals")
        for try await _ in messages {}
    }

    func run() async throws {
        var next = start
        while true {
            next = max(next + .seconds(1), clock.now)
            try await clock.sleep(until: next)
            let before = messages
            let statistics = Jazzy.statistics
            messages = statistics.messagesReceived.total + statistics.messagesSent.total
            history = history.dropFirst() + [messages - before]
            guard Jazzy.subscriberCount("vitals") > 0 else { continue }
            try await Jazzy.publish("vitals", json: current())
        }
    }

    private func current() async -> Update {
        let attendance = await lobby.attendance
        return .vitals(
            connections: Jazzy.statistics.webSockets, messages: messages, perSecond: history[history.count - 1],
            upSeconds: Int((clock.now - start) / .seconds(1)), people: attendance.people, rooms: attendance.rooms)
    }
}

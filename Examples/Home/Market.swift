import JazzySwift

/// Invented prices that wander, four times a second.
actor Market {
    /// What a viewer is told, in JSON.
    private enum Update: Encodable {
        /// First: the prices of the last minute, by instrument.
        case welcome(names: [String], history: [[Double]], ticksPerSecond: Int)
        case tick(number: Int, prices: [Double])
    }

    private static let ticksPerSecond = 4
    private static let shown = 60 * ticksPerSecond

    private var prices = Prices()
    private var number = 0

    init() {
        for _ in 1..<Self.shown { prices.advance(keeping: Self.shown) }
    }

    /// A viewer's visit, until the connection ends.
    func receive(_ ws: JazzyWebSocket, _ messages: WsMessages) async throws {
        try ws.send(
            json: Update.welcome(names: Prices.names, history: prices.history, ticksPerSecond: Self.ticksPerSecond))
        ws.subscribe("ticks")
        for try await _ in messages {}
    }

    func run() async throws {
        let clock = ContinuousClock()
        var next = clock.now
        while true {
            next = max(next + .seconds(1) / Self.ticksPerSecond, clock.now)
            try await clock.sleep(until: next)
            number += 1
            prices.advance(keeping: Self.shown)
            guard Jazzy.subscriberCount("ticks") > 0 else { continue }
            try Jazzy.publish("ticks", json: Update.tick(number: number, prices: prices.current))
        }
    }
}

private struct Prices {
    static let names = ["Trumpet", "Saxophone", "Trombone", "Piano", "Double bass", "Drums"]
    private static let usual = [128.0, 214, 96, 540, 312, 75]

    private(set) var current = usual
    /// By instrument, the current one last.
    private(set) var history = usual.map { [$0] }

    /// A price wanders, and is drawn back to what is usual.
    mutating func advance(keeping limit: Int) {
        for (place, usual) in Self.usual.enumerated() {
            let change = Double.random(in: -0.009...0.009) * current[place] + (usual - current[place]) * 0.012
            current[place] = ((current[place] + change) * 100).rounded() / 100
            history[place] = history[place].suffix(limit - 1) + [current[place]]
        }
    }
}

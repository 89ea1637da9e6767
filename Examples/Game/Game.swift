import JazzySwift

/// Owns the world: nobody else changes it.
actor Game {
    /// What a player is told first, in JSON.
    struct Welcome: Encodable {
        let player: UInt32
        let width = World.size.x
        let height = World.size.y
        let stepsPerSecond = World.stepsPerSecond
    }

    private static let playerLimit = 100
    /// How many snapshots may wait for a player: half a second.
    private static let patience = World.stepsPerSecond / 2

    private let controls: Controls
    private var world = World()
    private var players: [JazzyWebSocket: UInt32] = [:]

    init(controls: Controls) {
        self.controls = controls
    }

    /// Each step is due at a multiple of a sixtieth of a second since the start: what a sleep, or a step, takes too
    /// long does not add up. Late steps are made up for, unless they are too many, because the machine was asleep.
    func run() async throws {
        let clock = ContinuousClock()
        var start = clock.now
        var steps = 0
        while true {
            steps += 1
            let due = start + .seconds(steps) / World.stepsPerSecond
            try await clock.sleep(until: due, tolerance: .zero)
            if clock.now - due > .milliseconds(250) { (start, steps) = (clock.now, 0) }
            try step()
        }
    }

    private func step() throws {
        let changes = controls.take()
        for ws in changes.joined { try join(ws) }
        for (ws, directions) in changes.directions {
            if let id = players[ws] { world.steer(id, directions) }
        }
        for ws in changes.left { leave(ws) }
        world.advance()
        let snapshot = world.snapshot
        Jazzy.publish("world", snapshot)
        for ws in players.keys where ws.bufferedAmount > Self.patience * snapshot.count {
            leave(ws)
            ws.close(code: .tryAgainLater, reason: "too late")
        }
    }

    private func join(_ ws: JazzyWebSocket) throws {
        guard players.count < Self.playerLimit else {
            ws.close(code: .tryAgainLater, reason: "the world is full")
            return
        }
        let id = world.join()
        players[ws] = id
        try ws.send(json: Welcome(player: id))
        ws.subscribe("world")
    }

    private func leave(_ ws: JazzyWebSocket) {
        if let id = players.removeValue(forKey: ws) { world.leave(id) }
    }
}

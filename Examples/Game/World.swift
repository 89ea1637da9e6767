/// The directions that a player holds down, one bit each: a byte from the client.
struct Directions: OptionSet, Sendable {
    let rawValue: UInt8
    static let up = Self(rawValue: 1)
    static let down = Self(rawValue: 2)
    static let left = Self(rawValue: 4)
    static let right = Self(rawValue: 8)
}

struct Point: Equatable, Sendable {
    var x: Int16
    var y: Int16
}

struct Player: Sendable {
    var place: Point
    var score: UInt16 = 0
    var directions: Directions = []
}

/// The world: players who collect coins. It knows neither connections nor clocks, only its own steps: the same calls
/// make the same world.
struct World: Sendable {
    static let size = Point(x: 800, y: 400)
    static let stepsPerSecond = 60
    /// How far a player goes in a step, and how close to a coin it gets it.
    static let speed: Int16 = 6
    static let reach: Int16 = 20

    private(set) var step: UInt32 = 0
    private(set) var players: [UInt32: Player] = [:]
    private(set) var coins: [Point] = []
    private var lastID: UInt32 = 0
    private var chance = Chance(state: 60)

    init(coinCount: Int = 8) {
        for _ in 0..<coinCount { coins.append(randomPoint()) }
    }

    /// Returns the player's number, which is never used again.
    mutating func join() -> UInt32 {
        lastID += 1
        players[lastID] = Player(place: randomPoint())
        return lastID
    }

    mutating func leave(_ id: UInt32) { players[id] = nil }

    /// From now on the player goes there.
    mutating func steer(_ id: UInt32, _ directions: Directions) { players[id]?.directions = directions }

    /// A sixtieth of a second goes by.
    mutating func advance() {
        step += 1
        for id in players.keys.sorted() {
            players[id]?.move()
            collect(id)
        }
    }

    private mutating func collect(_ id: UInt32) {
        guard let place = players[id]?.place else { return }
        for index in coins.indices where coins[index].isNear(place) {
            players[id]?.score &+= 1
            coins[index] = randomPoint()
        }
    }

    private mutating func randomPoint() -> Point {
        Point(x: .random(in: 0...Self.size.x, using: &chance), y: .random(in: 0...Self.size.y, using: &chance))
    }
}

extension Player {
    fileprivate mutating func move() {
        place.x = moved(place.x, less: .left, more: .right, limit: World.size.x)
        place.y = moved(place.y, less: .up, more: .down, limit: World.size.y)
    }

    private func moved(_ value: Int16, less: Directions, more: Directions, limit: Int16) -> Int16 {
        let change = (directions.contains(more) ? World.speed : 0) - (directions.contains(less) ? World.speed : 0)
        return min(max(value + change, 0), limit)
    }
}

extension Point {
    fileprivate func isNear(_ other: Point) -> Bool {
        abs(x - other.x) <= World.reach && abs(y - other.y) <= World.reach
    }
}

/// SplitMix64: the same numbers in every run.
private struct Chance: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}

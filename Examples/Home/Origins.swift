/// From where the members of the chat come, and how much of it each place may have: nobody keeps others out by filling
/// the rooms, or has what was said sent to it again and again.
///
/// A place is an address, or a /64 network of IPv6. Behind a proxy all have its address, unless the server trusts it to
/// say whose it is (`JazzyOptions.trustedProxies`).
struct Origins {
    /// Who is in the chat at once.
    static let memberLimit = 50
    /// Rooms, of those that are not always there.
    static let roomLimit = 8
    /// Whoever comes into a room is told what was said there last: so often at once, as all come back after a restart, and
    /// then one time each interval.
    static let arrivalLimit = 60
    static let interval = Duration.seconds(1)

    private struct Origin {
        var members = 0
        /// When as many may arrive at once as ever.
        var rested: ContinuousClock.Instant
    }

    private var origins: [String: Origin] = [:]

    /// Why nobody else may come from there now; `nil`: somebody has come into a room, a member already or not.
    mutating func refusal(from place: String, isMember: Bool, at now: ContinuousClock.Instant = .now) -> String? {
        var origin = origins[place] ?? Origin(rested: now)
        guard isMember || origin.members < Self.memberLimit else { return "Too many come from where you are." }
        let rested = max(origin.rested, now) + Self.interval
        guard rested <= now + Self.interval * Self.arrivalLimit else {
            return "Too much coming and going. Wait a moment."
        }
        origin.rested = rested
        origin.members += isMember ? 0 : 1
        origins[place] = origin
        return nil
    }

    mutating func leave(_ place: String) { origins[place]?.members -= 1 }

    /// Forgets those of whom there is nothing to know any more.
    mutating func sweep(at now: ContinuousClock.Instant = .now) {
        origins = origins.filter { $0.value.members > 0 || $0.value.rested > now }
    }

    /// The place of an address with a port, as `JazzyConnection.remoteAddress` has it.
    static func place(of address: String) -> String {
        guard address.hasPrefix("[") else { return String(address.prefix { $0 != ":" }) }
        let sides = address.dropFirst().prefix { $0 != "]" }.split(separator: "::", omittingEmptySubsequences: false)
            .map { $0.split(separator: ":") }
        let known = sides.map(\.count).reduce(0, +)
        let zeros = Array(repeating: Substring("0"), count: sides.count == 2 ? max(0, 8 - known) : 0)
        return (sides[0] + zeros + (sides.count == 2 ? sides[1] : [])).prefix(4).joined(separator: ":")
    }
}

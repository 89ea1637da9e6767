#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What viewers of a dashboard get, as the guide "Dashboard" says: names are in snake case there.
///
/// Counts only grow, and rates are for viewers to calculate, so that who misses a sample still knows all.
struct DashboardSample: Encodable {
    /// Of this format. It grows when what there is changes its meaning; new figures leave it.
    var format = 1
    var number: Int
    /// Since 1970, in UTC.
    var timeMs: Int
    /// Since the server listens.
    var uptimeNs: Int
    var viewers: Viewers
    var figures: DashboardFigures

    /// The dashboard's own messages, which are among those of the server.
    struct Viewers: Encodable {
        var now = 0
        var messages = 0
        var bytes = 0
        /// Samples that a viewer has missed because it had not taken an earlier one.
        var skipped = 0
    }

    init(number: Int, uptime: Duration, viewers: Viewers, figures: DashboardFigures) {
        self.number = number
        timeMs = Int(Date().timeIntervalSince1970 * 1_000)
        uptimeNs = Int(uptime.components.seconds) * 1_000_000_000 + Int(uptime.components.attoseconds / 1_000_000_000)
        self.viewers = viewers
        self.figures = figures
    }

    private enum CodingKeys: String, CodingKey {
        case format, number, timeMs, uptimeNs, viewers
    }

    /// The figures are beside the rest.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(format, forKey: .format)
        try container.encode(number, forKey: .number)
        try container.encode(timeMs, forKey: .timeMs)
        try container.encode(uptimeNs, forKey: .uptimeNs)
        try container.encode(viewers, forKey: .viewers)
        try figures.encode(to: encoder)
    }

    /// Not empty: there is nothing in it that cannot be written.
    var json: [UInt8] {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map(Array.init) ?? []
    }
}

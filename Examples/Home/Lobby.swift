import Foundation
import JazzySwift

/// The rooms of the chat, and who is in which. Only the lobby publishes, so all see the same order. Some rooms are
/// always there; others as long as somebody is in them. What is said is in the histories of the rooms' topics, so that
/// whoever has lost the connection continues where it was.
actor Lobby {
    /// Of the topics that keep what was said, and how much of it: main.swift.
    static let prefix = "room "
    static let kept = 50
    static let bytesKept = 65_536

    private static let keptRooms = ["Lobby", "Green room", "Late night"]
    private static let roomLimit = 50
    private static let memberLimit = 200
    private static let textLimit = 4_000
    /// In which everybody is told something: whoever hears nothing for twice as long has lost the connection.
    private static let silence = Duration.seconds(15)

    private struct Room {
        /// From where who has made it came; empty: it is always there.
        var origin = ""
        var members: [JazzyWebSocket: String] = [:]
    }

    private struct Visit {
        let room: String
        let origin: String
    }

    private var rooms = Dictionary(uniqueKeysWithValues: keptRooms.map { ($0, Room()) })
    private var visits: [JazzyWebSocket: Visit] = [:]
    private var origins = Origins()
    private var published: [Summary] = []

    /// How many are in the chat, and in how many rooms.
    var attendance: (people: Int, rooms: Int) { (visits.count, rooms.values.count { !$0.members.isEmpty }) }

    /// A member's visit, until the connection ends, in whatever way.
    func receive(_ ws: JazzyWebSocket, _ messages: WsMessages) async throws {
        try ws.send(json: Announcement.rooms(list: summaries))
        ws.subscribe("rooms")
        defer { leave(ws) }
        for try await message in messages where message.kind == .text {
            do {
                try obey(message.decode(Command.self), of: ws)
            } catch let error as WsDecodingError {
                try ws.send(json: Announcement.refused(reason: "\(error)"))
            }
        }
    }

    /// Tells of the numbers in the rooms, but not more often than anybody can read; and now and then in any case, by which
    /// a page knows that its connection is not dead.
    func run() async throws {
        var told = ContinuousClock.now
        while true {
            try await Task.sleep(for: .milliseconds(250))
            origins.sweep()
            guard summaries != published || told.duration(to: .now) >= Self.silence else { continue }
            (told, published) = (.now, summaries)
            try Jazzy.publish("rooms", json: Announcement.rooms(list: published))
        }
    }

    private func obey(_ command: Command, of ws: JazzyWebSocket) throws {
        switch command {
        case .join(let room, let name, let since):
            guard let room = presentable(room) else { return try refuse(ws, "A room needs a name.") }
            guard let name = presentable(name) else { return try refuse(ws, "Your name has nothing to see.") }
            try join(ws, as: name, room, since: since.flatMap { JazzyPosition($0) })
        case .say(let text):
            guard let room = visits[ws]?.room, let name = rooms[room]?.members[ws] else {
                return try refuse(ws, "You are in no room.")
            }
            let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
            guard hasSomethingToSee(text), text.utf8.count <= Self.textLimit else {
                return try refuse(ws, "A message has 1 to \(Self.textLimit) bytes.")
            }
            try say(Line(name: name, text: text, date: .now), in: room)
        }
    }

    private func refuse(_ ws: JazzyWebSocket, _ reason: String) throws {
        try ws.send(json: Announcement.refused(reason: reason))
    }

    private func join(_ ws: JazzyWebSocket, as name: String, _ asked: String, since: JazzyPosition?) throws {
        let room = existing(asked) ?? asked
        let visit = visits[ws]
        let others = rooms[room]?.members.filter { $0.key != ws } ?? [:]
        let name = unused(name, among: others.values)
        let isThere = visit?.room == room && rooms[room]?.members[ws] == name

        guard let origin = visit?.origin ?? ws.remoteAddress.map(Origins.place) else { return }
        if !isThere, let reason = whyFull(room, to: origin, others) { return try refuse(ws, reason) }
        if let reason = origins.refusal(from: origin, isMember: visit != nil) { return try refuse(ws, reason) }
        if isThere { return try greet(ws, name, room, others) }
        if visit != nil { leaveRoom(ws) }
        visits[ws] = Visit(room: room, origin: origin)
        rooms[room, default: Room(origin: origin)].members[ws] = name
        // First who is there, then what was missed, or what was said last, and then who comes.
        ws.subscribe(Self.comings(to: lines(of: room)))
        try greet(ws, name, room, others)
        let begun = since.map { ws.subscribe(lines(of: room), since: $0, announcing: true, enveloping: true) }
        if begun?.recovered != true {
            ws.subscribe(lines(of: room), recent: Self.kept, announcing: true, enveloping: true)
        }
        try ws.subscribe(lines(of: room), as: JazzyMember(key: name))
    }

    private func greet(
        _ ws: JazzyWebSocket, _ name: String, _ room: String, _ others: [JazzyWebSocket: String]
    ) throws {
        try ws.send(json: Announcement.joined(room: room, name: name, people: others.values.sorted() + [name]))
    }

    /// The room that looks like it.
    private func existing(_ room: String) -> String? {
        rooms[room] != nil ? room : rooms.keys.first { looksAlike($0, room) }
    }

    private func whyFull(_ room: String, to origin: String, _ others: [JazzyWebSocket: String]) -> String? {
        guard others.count < Self.memberLimit else { return "\(room) is full." }
        guard rooms[room] == nil else { return nil }
        guard rooms.count < Self.roomLimit else { return "Too many rooms." }
        let made = rooms.values.count { $0.origin == origin }
        return made < Origins.roomLimit ? nil : "Too many rooms from where you are."
    }

    private func say(_ line: Line, in room: String) throws {
        try Jazzy.publish(lines(of: room), json: Announcement.said(line: line))
    }

    private func leave(_ ws: JazzyWebSocket) {
        guard let origin = visits[ws]?.origin else { return }
        leaveRoom(ws)
        visits[ws] = nil
        origins.leave(origin)
    }

    private func leaveRoom(_ ws: JazzyWebSocket) {
        guard let room = visits[ws]?.room else { return }
        rooms[room]?.members[ws] = nil
        ws.unsubscribe(lines(of: room))
        ws.unsubscribe(Self.comings(to: lines(of: room)))
        if rooms[room]?.members.isEmpty == true, !Self.keptRooms.contains(room) { rooms[room] = nil }
    }

    /// Tells those in a room who has come, and who has gone, however it was.
    static func tell(_ change: JazzyPresenceChange, _ server: JazzyServerHandle) {
        let comings = comings(to: change.topic)
        if !change.left.isEmpty {
            _ = try? server.publish(comings, json: Announcement.went(names: change.left.map(\.key)))
        }
        if !change.joined.isEmpty {
            _ = try? server.publish(comings, json: Announcement.came(names: change.joined.map(\.key)))
        }
    }

    /// The topic of what is said in a room, whose members are those who are there.
    private func lines(of room: String) -> String { Self.prefix + room }

    /// Who comes and goes. Nobody has to be told of it later: who is there is told first.
    private static func comings(to topic: String) -> String { "comings to " + topic }

    private var summaries: [Summary] {
        let others = rooms.keys.filter { !Self.keptRooms.contains($0) }.sorted()
        return (Self.keptRooms + others).map { Summary(name: $0, people: rooms[$0]?.members.count ?? 0) }
    }
}

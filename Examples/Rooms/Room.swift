import Foundation
import JazzySwift

/// A room, as a guest sees it. The server itself knows what was said last, from which a guest who has lost the connection
/// continues (the history of the room's topic), and who is there (the topic's members).
struct Room: Sendable {
    /// Rooms' topics begin with this: main.swift.
    static let prefix = "room "
    static let kept = 50
    private static let textLimit = 500

    private let name: String
    private let topic: String

    init(name: String) {
        self.name = name
        topic = Self.prefix + name
    }

    /// A guest's visit, until the connection ends, in whatever way.
    func receive(_ ws: JazzyWebSocket, of guest: Guest, _ messages: WsMessages) async throws {
        try join(ws, guest)
        for try await message in messages where message.kind == .text {
            do {
                try obey(message.decode(Command.self), of: guest.name, ws)
            } catch let error as WsDecodingError {
                try ws.send(json: Announcement.refused(reason: "\(error)"))
            }
        }
    }

    private func join(_ ws: JazzyWebSocket, _ guest: Guest) throws {
        // First what was missed, or what was said last; then the welcome, and all that happens after it.
        let begun = guest.since.map { ws.subscribe(topic, since: $0, announcing: true, enveloping: true) }
        if begun?.recovered != true {
            ws.subscribe(topic, recent: Self.kept, announcing: true, enveloping: true)
        }
        // With several tabs somebody is here once.
        try ws.subscribe(topic, as: JazzyMember(key: guest.name))
        ws.subscribe(Self.comings(to: topic))
        try ws.send(json: Announcement.welcome(name: guest.name, room: name, members: present(ws)))
    }

    private func obey(_ command: Command, of member: String, _ ws: JazzyWebSocket) throws {
        switch command {
        case .say(let text) where text.isEmpty || text.utf8.count > Self.textLimit:
            try ws.send(json: Announcement.refused(reason: "A text has 1 to \(Self.textLimit) bytes."))
        case .say(let text):
            try ws.server.publish(topic, json: Announcement.said(line: Line(name: member, text: text, date: .now)))
        case .who:
            try ws.send(json: Announcement.present(members: present(ws)))
        }
    }

    private func present(_ ws: JazzyWebSocket) -> [String] { ws.server.members(of: topic).map(\.key).sorted() }

    /// Tells the guests of a room who has come and who has left, all who did within a moment together.
    static func tell(_ change: JazzyPresenceChange, _ server: JazzyServerHandle) {
        let changed = Announcement.changed(joined: change.joined.map(\.key), left: change.left.map(\.key))
        _ = try? server.publish(comings(to: change.topic), json: changed)
    }

    /// Who comes and who leaves a room. Nobody has to be told of it later: the welcome says who is there.
    private static func comings(to topic: String) -> String { "comings to " + topic }
}

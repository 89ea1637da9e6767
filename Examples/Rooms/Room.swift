import Foundation
import JazzySwift

/// A room: who is in it. What was said last is in the history of its topic, from which a guest who has lost the connection
/// continues. Only the room publishes to its topics, so all see the same order.
actor Room {
    /// Rooms' topics, which keep what is said: main.swift.
    static let prefix = "room "
    static let kept = 50
    private static let textLimit = 500

    private let name: String
    private let topic: String
    /// Who comes and who leaves. Nobody has to be told of it later: the welcome says who is there.
    private let comings: String
    /// Somebody may be here several times, with several tabs.
    private var members: [JazzyWebSocket: String] = [:]

    init(name: String) {
        self.name = name
        topic = Self.prefix + name
        comings = "comings to " + name
    }

    /// A member's visit, until the connection ends, in whatever way.
    func receive(_ ws: JazzyWebSocket, of guest: Guest, _ messages: WsMessages) async throws {
        try join(ws, guest)
        defer { leave(ws) }
        for try await message in messages where message.kind == .text {
            do {
                try obey(message.decode(Command.self), of: guest.name, ws)
            } catch let error as WsDecodingError {
                try ws.send(json: Announcement.refused(reason: "\(error)"))
            }
        }
    }

    private func join(_ ws: JazzyWebSocket, _ guest: Guest) throws {
        let isNew = !members.values.contains(guest.name)
        members[ws] = guest.name
        // First what was missed, or what was said last; then the welcome, and all that happens after it.
        let begun = guest.since.map { ws.subscribe(topic, since: $0, announcing: true, enveloping: true) }
        if begun?.recovered != true {
            ws.subscribe(topic, recent: Self.kept, announcing: true, enveloping: true)
        }
        try ws.send(json: Announcement.welcome(name: guest.name, room: name, members: present))
        ws.subscribe(comings)
        if isNew { try ws.publish(comings, json: Announcement.joined(name: guest.name)) }
    }

    private func leave(_ ws: JazzyWebSocket) {
        guard let member = members.removeValue(forKey: ws), !members.values.contains(member) else { return }
        _ = try? ws.server.publish(comings, json: Announcement.left(name: member))
    }

    private func obey(_ command: Command, of member: String, _ ws: JazzyWebSocket) throws {
        switch command {
        case .say(let text) where text.isEmpty || text.utf8.count > Self.textLimit:
            try ws.send(json: Announcement.refused(reason: "A text has 1 to \(Self.textLimit) bytes."))
        case .say(let text):
            try ws.server.publish(topic, json: Announcement.said(line: Line(name: member, text: text, date: .now)))
        case .who:
            try ws.send(json: Announcement.present(members: present))
        }
    }

    private var present: [String] { Set(members.values).sorted() }
}

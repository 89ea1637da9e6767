import Foundation
import JazzySwift

/// A room: who is in it, and what was said last. Only the room publishes to its topic, so all see the same order.
actor Room {
    private static let historyLimit = 50
    private static let textLimit = 500

    private let name: String
    private let topic: String
    /// Somebody may be here several times, with several tabs.
    private var members: [JazzyWebSocket: String] = [:]
    private var history: [Line] = []
    private var lineCount = 0

    init(name: String) {
        self.name = name
        topic = "room " + name
    }

    /// A member's visit, until the connection ends, in whatever way.
    func receive(_ ws: JazzyWebSocket, as member: String, _ messages: WsMessages) async throws {
        try join(ws, as: member)
        defer { leave(ws) }
        for try await message in messages where message.kind == .text {
            do {
                try obey(message.decode(Command.self), of: member, ws)
            } catch let error as WsDecodingError {
                try ws.send(json: Announcement.refused(reason: "\(error)"))
            }
        }
    }

    private func join(_ ws: JazzyWebSocket, as member: String) throws {
        let isNew = !members.values.contains(member)
        members[ws] = member
        // First the welcome, then all that happens after it.
        try ws.send(json: Announcement.welcome(name: member, room: name, members: present, history: history))
        ws.subscribe(topic)
        if isNew { try ws.publish(topic, json: Announcement.joined(name: member)) }
    }

    private func leave(_ ws: JazzyWebSocket) {
        guard let member = members.removeValue(forKey: ws), !members.values.contains(member) else { return }
        _ = try? ws.server.publish(topic, json: Announcement.left(name: member))
    }

    private func obey(_ command: Command, of member: String, _ ws: JazzyWebSocket) throws {
        switch command {
        case .say(let text) where text.isEmpty || text.utf8.count > Self.textLimit:
            try ws.send(json: Announcement.refused(reason: "A text has 1 to \(Self.textLimit) bytes."))
        case .say(let text):
            lineCount += 1
            let line = Line(number: lineCount, name: member, text: text, date: .now)
            history.append(line)
            if history.count > Self.historyLimit { history.removeFirst() }
            try ws.server.publish(topic, json: Announcement.said(line: line))
        case .who:
            try ws.send(json: Announcement.present(members: present))
        }
    }

    private var present: [String] { Set(members.values).sorted() }
}

import Foundation

/// What a member of the chat asks for, in JSON: `{"join":{"name":"Ada","room":"Lobby"}}`, `{"say":{"text":"Hello!"}}`.
enum Command: Decodable, Sendable {
    /// Comes into a room, from another if need be. The same room again: under another name. `since` is the position of the
    /// last line that the member has of this room, if any: it continues there.
    case join(room: String, name: String, since: String?)
    case say(text: String)
}

/// What a member is told, in JSON.
enum Announcement: Encodable, Sendable {
    /// All rooms, and how many are in each.
    case rooms(list: [Summary])
    /// The answer to `join`: who the member is there, and who is there. What was said follows.
    case joined(room: String, name: String, people: [String])
    /// Who has come, and who has gone, all who did within a moment together. Who knows it already has nothing to change.
    case came(names: [String])
    case went(names: [String])
    /// Comes in an envelope, with its offset: what was said is in the history of the room's topic.
    case said(line: Line)
    /// A command was not carried out.
    case refused(reason: String)
}

struct Summary: Encodable, Equatable, Sendable {
    let name: String
    let people: Int
}

struct Line: Encodable, Sendable {
    let name: String
    let text: String
    let date: Date
}

import Foundation

/// What a member of the chat asks for, in JSON: `{"join":{"name":"Ada","room":"Lobby"}}`, `{"say":{"text":"Hello!"}}`.
enum Command: Decodable, Sendable {
    /// Comes into a room, from another if need be. The same room again: under another name.
    case join(room: String, name: String)
    case say(text: String)
}

/// What a member is told, in JSON.
enum Announcement: Encodable, Sendable {
    /// All rooms, and how many are in each.
    case rooms(list: [Summary])
    /// The answer to `join`: who the member is there, who is there, and what was said last.
    case joined(room: String, name: String, people: [String], lines: [Line])
    case came(name: String)
    /// `isLost`: without a word, which is the close code 1000, because its network or its browser failed.
    case went(name: String, isLost: Bool)
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

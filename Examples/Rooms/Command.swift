import Foundation

/// What a client asks for, in JSON: `{"say":{"text":"Hello!"}}`, `{"who":{}}`.
enum Command: Decodable, Sendable {
    case say(text: String)
    case who
}

/// What a client is told, in JSON: `{"joined":{"name":"Ada"}}`.
enum Announcement: Encodable, Sendable {
    /// The first that a client gets: who it is, who is there, and what was said last.
    case welcome(name: String, room: String, members: [String], history: [Line])
    case joined(name: String)
    case left(name: String)
    case said(line: Line)
    /// The answer to `who`.
    case present(members: [String])
    /// A command was not carried out.
    case refused(reason: String)
}

/// Something that was said in a room. Lines are numbered from 1.
struct Line: Encodable, Sendable {
    let number: Int
    let name: String
    let text: String
    let date: Date
}

import Foundation

/// What a client asks for, in JSON: `{"say":{"text":"Hello!"}}`, `{"who":{}}`.
enum Command: Decodable, Sendable {
    case say(text: String)
    case who
}

/// What a client is told, in JSON: `{"changed":{"joined":["Ada"],"left":[]}}`. What is said comes in an envelope, with its offset.
enum Announcement: Encodable, Sendable {
    /// Comes behind what was said last, or was missed: who the client is, and who is there.
    case welcome(name: String, room: String, members: [String])
    /// Who has come, and who has left. Who knows it already, from the welcome, has nothing to change.
    case changed(joined: [String], left: [String])
    case said(line: Line)
    /// The answer to `who`.
    case present(members: [String])
    /// A command was not carried out.
    case refused(reason: String)
}

/// Something that was said in a room.
struct Line: Encodable, Sendable {
    let name: String
    let text: String
    let date: Date
}

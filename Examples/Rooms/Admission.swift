import JazzySwift

/// Who is let in, and where: the state of a connection, from its upgrade hook.
struct Guest: Sendable {
    let name: String
    let room: String
    /// What it has of the room, if it comes back.
    let since: JazzyPosition?
}

/// Whose token is whose. In an application this asks a database, hence an actor, which is awaited.
actor Accounts {
    private let names: [String: String]

    init(_ names: [String: String]) {
        self.names = names
    }

    func name(forToken token: String) -> String? { names[token] }
}

extension JazzyRequest {
    /// What identifies the client: browsers have a cookie, programs a header. Not in the query, which logs may contain.
    var token: String? {
        if let header = header("Authorization"), header.hasPrefix("Bearer ") {
            return String(header.dropFirst("Bearer ".count))
        }
        return cookie("session")
    }
}

/// Letters, digits and hyphens, at most 32.
func isRoomName(_ name: String) -> Bool {
    name.utf8.count <= 32 && name.allSatisfy { $0 == "-" || $0.isLetter || $0.isNumber }
}

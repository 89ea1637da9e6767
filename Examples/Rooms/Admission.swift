import Foundation
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
        // The scheme's case does not matter (RFC 9110 §11.1).
        if let header = header("Authorization"), header.lowercased().hasPrefix("bearer ") {
            return String(header.dropFirst("bearer ".count))
        }
        return cookie("session")
    }
}

/// A room's name, of letters, digits and hyphens, at most 32 bytes; `nil` if it is none. Topics are compared byte by byte,
/// so that what looks the same has to be: there is one spelling of a letter with an accent, and nothing invisible.
func roomName(_ text: String) -> String? {
    let name = text.precomposedStringWithCanonicalMapping
    let isOne = name.utf8.count <= 32 && name.unicodeScalars.allSatisfy { $0 == "-" || isLetterOrDigit($0.properties) }
    return isOne ? name : nil
}

private func isLetterOrDigit(_ scalar: Unicode.Scalar.Properties) -> Bool {
    (scalar.isAlphabetic || scalar.generalCategory == .decimalNumber) && !scalar.isDefaultIgnorableCodePoint
}

/// The name of a member of the room after a line of theirs, as the page writes them: `Ada joined.`, `Ada: Hello!`,
/// `Ada left.`; `nil` before the first and after the last.
public func nameToKeep(of name: String?, saying line: String) -> String? {
    if let colon = line.firstRange(of: ": ") {
        // Only members with the page join; users of other clients join and leave unannounced.
        return name == nil ? nil : String(line[..<colon.lowerBound])
    }
    if line.hasSuffix(" joined.") { return String(line.dropLast(" joined.".count)) }
    return line.hasSuffix(" left.") ? nil : name
}

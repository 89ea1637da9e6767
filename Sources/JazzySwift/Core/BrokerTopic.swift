// The names of topics, as a broker that is written in Swift has them. Servers tell each other of members on topics whose
// names begin with the byte 0xFF (`jazzy/broker.h`), which no string has. There it is U+FFFF, which is no character.
// Where an application's topic begins with that, it is doubled: nobody who may name topics speaks as a server does.

private let hiddenPrefix = "jazzy.presence"
private let markOfHidden = "\u{FFFF}"

/// The name of the core's topic.
func topicName(_ characters: UnsafePointer<CChar>?, _ length: Int) -> String {
    let bytes = UnsafeRawBufferPointer(start: characters, count: length)
    if bytes.first == 0xFF { return markOfHidden + String(decoding: bytes.dropFirst(), as: UTF8.self) }
    let name = String(decoding: bytes, as: UTF8.self)
    return bytes.starts(with: markOfHidden.utf8) ? markOfHidden + name : name
}

/// Calls `body` with the name for the core, which is valid within the call.
func withTopicName<Result>(_ topic: String, _ body: (UnsafePointer<CChar>?, Int) -> Result) -> Result {
    let mark = markOfHidden.utf8
    guard topic.utf8.starts(with: mark) else { return withCharacters(of: topic, body) }
    let rest = topic.utf8.dropFirst(mark.count)
    let name: [UInt8]
    if rest.starts(with: mark) {
        name = Array(rest)
    } else if rest.starts(with: hiddenPrefix.utf8) {
        name = [0xFF] + rest
    } else {
        return withCharacters(of: topic, body)
    }
    return name.withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count) }
}

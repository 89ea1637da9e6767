// The names of topics, as a broker that is written in Swift has them. Servers tell each other of members on topics whose
// names begin with the byte 0xFF (`jazzy/broker.h`), which no string has. There it is U+FFFF, which is no character.

private let hiddenPrefix = "jazzy.presence"
private let markOfHidden = "\u{FFFF}"

/// The name of the core's topic.
func topicName(_ characters: UnsafePointer<CChar>?, _ length: Int) -> String {
    let bytes = UnsafeRawBufferPointer(start: characters, count: length)
    guard bytes.first == 0xFF else { return String(decoding: bytes, as: UTF8.self) }
    return markOfHidden + String(decoding: bytes.dropFirst(), as: UTF8.self)
}

/// Calls `body` with the name for the core, which is valid within the call.
func withTopicName<Result>(_ topic: String, _ body: (UnsafePointer<CChar>?, Int) -> Result) -> Result {
    guard topic.utf8.starts(with: (markOfHidden + hiddenPrefix).utf8) else { return withCharacters(of: topic, body) }
    let name = [0xFF] + topic.utf8.dropFirst(markOfHidden.utf8.count)
    return name.withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count) }
}

import CJazzyPoll

/// Calls a function of the core that may fail, and throws its error.
package func check(_ call: (UnsafeMutablePointer<jz_error>) -> jz_status) throws(JazzyError) {
    var error = jz_error()
    guard call(&error) == JZ_OK else { throw JazzyError(error) }
}

/// Throws if the core would see only a part of a text, because C strings end at the first NUL.
package func requireNoNUL(_ text: String, _ name: String, _ code: JazzyError.Code) throws(JazzyError) {
    guard !text.utf8.contains(0) else { throw JazzyError(code, "\(name) contains a NUL character") }
}

/// Calls `body` with a text for the core: its UTF-8 bytes, and their number.
func withCharacters<Result>(of text: String, _ body: (UnsafePointer<CChar>?, Int) -> Result) -> Result {
    var text = text
    return text.withUTF8 { utf8 in
        utf8.withMemoryRebound(to: CChar.self) { body($0.baseAddress, $0.count) }
    }
}

/// Calls `body` with texts for the core, none of which has a NUL: a pointer to each, and their number.
func withCStrings<Result, Failure: Error>(
    of texts: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>?, Int) throws(Failure) -> Result
) throws(Failure) -> Result {
    var characters: [CChar] = []
    let offsets = texts.map { text in
        defer { characters += text.utf8CString }
        return characters.count
    }
    return try characters.withUnsafeBufferPointer { characters throws(Failure) in
        let starts = offsets.map { offset in characters.baseAddress.map { $0 + offset } }
        return try starts.withUnsafeBufferPointer { starts throws(Failure) in
            try body(starts.baseAddress, starts.count)
        }
    }
}

import CJazzyPoll

/// Decodes a text; a text with a malformed escape stays as it is.
func percentDecoded(_ text: String, plusIsSpace: Bool) -> String {
    withCharacters(of: text) { start, count in
        guard let start else { return text }
        var isWellFormed = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, length in
            buffer.withMemoryRebound(to: CChar.self) { decoded in
                let encoded = jz_string(start: start, length: count)
                isWellFormed = jz_percent_decode(encoded, plusIsSpace, decoded.baseAddress, &length)
            }
        }
        return isWellFormed ? String(decoding: bytes, as: UTF8.self) : text
    }
}

/// Texts come from a server, and from its clients: none may move the cursor.
func harmless(_ text: some StringProtocol) -> String {
    let shown = text.unicodeScalars.map { scalar -> Unicode.Scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: "?"
        default: scalar
        }
    }
    return String(String.UnicodeScalarView(shown))
}

/// Ideographs, syllables and emojis, which take two columns of a terminal.
private let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115F, 0x2E80...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60,
    0xFFE0...0xFFE6, 0x1F300...0x3FFFD,
]

/// How many columns it takes.
func width(of text: String) -> Int {
    text.unicodeScalars.reduce(0) { sum, scalar in
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: sum
        default: sum + (wide.contains { $0 ~= scalar.value } ? 2 : 1)
        }
    }
}

/// What fits into so many columns. A letter may have any number of accents.
func cut(_ text: String, to columns: Int) -> String {
    guard text.unicodeScalars.count > columns * 4 || width(of: text) > columns else { return text }
    var kept = String(String.UnicodeScalarView(text.unicodeScalars.prefix(columns * 4)))
    while width(of: kept) >= columns { kept.unicodeScalars.removeLast() }
    return kept + "…"
}

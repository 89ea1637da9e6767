/// A name as it is shown to others: in one line, of at most 30 characters, with something to see; `nil` if nothing is
/// left. What changes the direction of text, or is invisible, is left out.
func presentable(_ name: String) -> String? {
    let shown = String(String.UnicodeScalarView(name.unicodeScalars.filter(mayBeShown)))
    let oneLine = shown.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    guard oneLine.unicodeScalars.contains(where: isVisible) else { return nil }
    // A character may have any number of marks.
    var cut = String(oneLine.prefix(30))
    while cut.utf8.count > 120 { cut.unicodeScalars.removeLast() }
    return cut.split(separator: " ").joined(separator: " ")
}

/// The name, or the name with a number behind it that nobody has yet.
func unused(_ name: String, among taken: some Sequence<String>) -> String {
    let taken = Set(taken.map { $0.lowercased() })
    let candidates = (1...).lazy.map { $0 == 1 ? name : "\(name) \($0)" }
    return candidates.first { !taken.contains($0.lowercased()) } ?? name
}

private func mayBeShown(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control: scalar.properties.isWhitespace
    case .format: scalar == "\u{200D}"  // within emojis
    case .unassigned, .surrogate: false
    default: true
    }
}

private func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    guard !scalar.properties.isWhitespace, !scalar.properties.isDefaultIgnorableCodePoint else { return false }
    return switch scalar.properties.generalCategory {
    case .control, .nonspacingMark, .enclosingMark, .spacingMark: false
    default: true
    }
}

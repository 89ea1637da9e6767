import Foundation

/// A name as it is shown to others: in one line, of at most 30 characters, with something to see; `nil` if nothing is
/// left. What changes the direction of text, or is invisible, is left out.
func presentable(_ name: String) -> String? {
    let shown = String(String.UnicodeScalarView(name.unicodeScalars.filter(mayBeShown)))
    // Topics are compared byte by byte: what is the same to a reader has the same bytes.
    let words = shown.split(whereSeparator: \.isWhitespace)
    let oneLine = words.joined(separator: " ").precomposedStringWithCanonicalMapping
    guard hasSomethingToSee(oneLine) else { return nil }
    // A character may have any number of marks.
    var cut = String(oneLine.prefix(30))
    while cut.utf8.count > 120 { cut.unicodeScalars.removeLast() }
    return cut.split(separator: " ").joined(separator: " ")
}

/// The name, or the name with a number behind it, that looks like none that somebody has.
func unused(_ name: String, among taken: some Sequence<String>) -> String {
    let taken = Set(taken.map(appearance))
    let candidates = (1...).lazy.map { $0 == 1 ? name : "\(name) \($0)" }
    return candidates.first { !taken.contains(appearance(of: $0)) } ?? name
}

func hasSomethingToSee(_ text: String) -> Bool { text.unicodeScalars.contains(where: isVisible) }

func looksAlike(_ one: String, _ other: String) -> Bool { appearance(of: one) == appearance(of: other) }

/// The same for names that nobody tells apart at a glance: without case, width, and what is invisible. Letters of other
/// alphabets that look the same are not known here.
private func appearance(of name: String) -> String {
    let folded = name.precomposedStringWithCompatibilityMapping.lowercased()
    let scalars = folded.unicodeScalars.filter { !$0.properties.isDefaultIgnorableCodePoint && $0 != brailleBlank }
    return String(String.UnicodeScalarView(scalars)).split(whereSeparator: \.isWhitespace).joined(separator: " ")
}

private let brailleBlank: Unicode.Scalar = "\u{2800}"

private func mayBeShown(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control: scalar.properties.isWhitespace
    case .format: scalar == "\u{200D}"  // within emojis
    case .unassigned, .surrogate: false
    default: true
    }
}

private func isVisible(_ scalar: Unicode.Scalar) -> Bool {
    guard !scalar.properties.isWhitespace, !scalar.properties.isDefaultIgnorableCodePoint, scalar != brailleBlank else {
        return false
    }
    return switch scalar.properties.generalCategory {
    case .control, .nonspacingMark, .enclosingMark, .spacingMark: false
    default: true
    }
}

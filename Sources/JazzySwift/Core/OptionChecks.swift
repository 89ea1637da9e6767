import CJazzyPoll

// The core checks options, too. They are checked here first to name them as in Swift, and because a value out of the
// range of the core's type must not become another value.

let kibi = 1 << 10
let mebi = 1 << 20
let gibi = 1 << 30

package func checked<Value: FixedWidthInteger>(
    _ name: String, _ value: Int, _ range: ClosedRange<Int>
) throws(JazzyError) -> Value {
    guard range.contains(value), let value = Value(exactly: value) else {
        throw outOfRange(name, value, range)
    }
    return value
}

func checked(_ name: String, _ value: Int, atLeast lowest: Int) throws(JazzyError) -> Int {
    guard value >= lowest else {
        throw JazzyError(.invalidOption, "option \(name) is \(value); it has to be at least \(lowest)")
    }
    return value
}

/// A count; `nil` means unlimited.
func checkedCount(_ name: String, _ value: Int?) throws(JazzyError) -> UInt32 {
    guard let value else { return JZ_UNLIMITED }
    guard value >= 1, let count = UInt32(exactly: value), count < JZ_UNLIMITED else {
        throw outOfRange(name, value, 1...Int(JZ_UNLIMITED) - 1)
    }
    return count
}

package func milliseconds(
    _ name: String, _ value: Duration, from lowest: Duration, to highest: Duration
) throws(JazzyError) -> UInt32 {
    guard (lowest...highest).contains(value) else { throw outOfRange(name, value, lowest...highest) }
    return value.wholeMilliseconds
}

func milliseconds(
    _ name: String, _ value: JazzyTimeLimit, from lowest: Duration, to highest: Duration
) throws(JazzyError) -> UInt32 {
    guard case .after(let duration) = value else { return JZ_NEVER }
    guard (lowest...highest).contains(duration) else {
        throw outOfRange(name, duration, lowest...highest, or: ".never")
    }
    return duration.wholeMilliseconds
}

/// Refuses lists that are too long, and texts with a NUL. The core checks the rest.
func checkTexts(_ name: String, _ texts: [String], atMost most: Int) throws(JazzyError) {
    guard texts.count <= most else {
        throw JazzyError(.invalidOption, "option \(name) has \(texts.count) elements; it may have at most \(most)")
    }
    for text in texts { try requireNoNUL(text, "option \(name)", .invalidOption) }
}

extension Duration {
    /// In whole milliseconds, rounded down, limited to the range of the type.
    var wholeMilliseconds: UInt32 {
        guard self > .zero else { return 0 }
        guard self < .milliseconds(Int64(UInt32.max)) else { return .max }
        let (seconds, attoseconds) = components
        return UInt32(clamping: seconds * 1_000 + attoseconds / 1_000_000_000_000_000)
    }
}

private func outOfRange<Value>(
    _ name: String, _ value: Value, _ range: ClosedRange<Value>, or alternative: String? = nil
) -> JazzyError {
    let end = alternative.map { ", or \($0)" } ?? ""
    return JazzyError(
        .invalidOption, "option \(name) is \(value); it has to be from \(range.lowerBound) to \(range.upperBound)\(end)"
    )
}

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How much a line of the log matters, the least first.
public enum JazzyLogLevel: Comparable, Sendable {
    /// What may have parts of what peers sent, to find a fault. It is not told by default: ``JazzyOptions/logLevel``.
    case debug
    /// What the server does, and what peers do wrong.
    case info
    /// Something that the server copes with, but that its operator may want to change.
    case warning
    /// Something failed.
    case error
}

/// Called with one line, without its end, from any thread, and possibly from several at a time.
///
/// Nobody can forge a line: what would end it, move the cursor, turn the direction of text or not be seen is there as
/// `\n` or `\u{1B}`, a byte that is no UTF-8 as `\xFF`, and a backslash as `\\`. A line has at most 511 bytes of UTF-8;
/// what is longer is cut, and ends in "…".
public typealias JazzyLog = @Sendable (_ level: JazzyLogLevel, _ line: String) -> Void

/// Where lines go by default: to standard error, from a level on.
func logToStandardError(from least: JazzyLogLevel) -> JazzyLog {
    { level, line in
        guard level >= least else { return }
        // One write for the whole line, so that lines of several threads do not mix.
        let text = "jazzy: \(level): \(line)\n"
        _ = text.utf8.withContiguousStorageIfAvailable { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

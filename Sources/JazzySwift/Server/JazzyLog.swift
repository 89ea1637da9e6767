/// The importance of a log line, in ascending order.
public enum JazzyLogLevel: Comparable, Sendable {
    /// For finding a fault; may contain parts of what peers sent. Off by default: ``JazzyOptions/logLevel``.
    case debug
    /// What the server does, and what peers do wrong.
    case info
    /// The server works, but an operator may want to change something.
    case warning
    /// Something failed.
    case error
}

/// Called with one line, without line end, from any thread, possibly from several at a time.
///
/// Peers cannot forge lines: characters that would end the line, move the cursor, change the text direction or be
/// invisible are written as `\n` or `\u{1B}`, a byte that is not UTF-8 as `\xFF`, and a backslash as `\\`. A line has
/// at most 511 bytes of UTF-8; a longer one is cut, and ends in "…".
public typealias JazzyLog = @Sendable (_ level: JazzyLogLevel, _ line: String) -> Void

/// The default log: writes lines from a level on to standard error.
func logToStandardError(from least: JazzyLogLevel) -> JazzyLog {
    { level, line in
        guard level >= least else { return }
        writeToStandardError("jazzy: \(level): \(line)\n")
    }
}

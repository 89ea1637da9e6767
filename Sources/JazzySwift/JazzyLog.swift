#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How much a line of the log matters.
public enum JazzyLogLevel: Sendable {
    /// What the server does, for the curious.
    case info
    /// Something that the server copes with, but that its operator may want to change.
    case warning
    /// Something failed.
    case error
}

/// Called with one line, without its end, from any thread, and possibly from several at a time.
public typealias JazzyLog = @Sendable (_ level: JazzyLogLevel, _ line: String) -> Void

/// Where lines go by default: warnings and errors to standard error, the rest nowhere.
let logToStandardError: JazzyLog = { level, line in
    guard level != .info else { return }
    // One write for the whole line, so that lines of several threads do not mix.
    let text = "jazzy: \(level): \(line)\n"
    _ = text.utf8.withContiguousStorageIfAvailable { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

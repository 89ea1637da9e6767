import CJazzyPoll

/// The context of the core's log callbacks, which leads to the log closures.
final class LogContext: Sendable {
    private let log: JazzyLog
    private let logRecord: JazzyRecordLog?

    init(_ options: JazzyOptions) {
        log = options.log
        logRecord = options.logRecord
    }

    /// The context must live as long as a server with these options.
    func set(in options: inout jz_options) {
        options.log = Self.callback
        options.log_record = logRecord == nil ? nil : Self.recordCallback
        options.log_context = Unmanaged.passUnretained(self).toOpaque()
    }

    private static let callback: jz_log_function = { context, level, line in
        guard let context, let line else { return }
        let log = Unmanaged<LogContext>.fromOpaque(context).takeUnretainedValue().log
        log(JazzyLogLevel(level), String(cString: line))
    }

    private static let recordCallback: jz_log_record_function = { context, record in
        guard let context, let record else { return }
        let logRecord = Unmanaged<LogContext>.fromOpaque(context).takeUnretainedValue().logRecord
        logRecord?(JazzyLogRecord(record.pointee))
    }
}

extension JazzyOptions {
    /// Logs a line that does not come from the core, in the same way as the core.
    package func tell(_ level: JazzyLogLevel, _ text: String, route: String? = nil) {
        guard level >= logLevel else { return }
        if let logRecord {
            logRecord(JazzyLogRecord(level: level, message: shownInLog(text), route: route.map(shownInLog)))
        } else {
            log(level, shownInLog(text))
        }
    }
}

/// A text as one line that is safe to show.
func shownInLog(_ text: String) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(JZ_LOG_LINE_SIZE)) { line in
        guard let start = line.baseAddress else { return "" }
        withCharacters(of: text) { _ = jz_log_escape($0, $1, start, line.count) }
        return String(cString: start)
    }
}

extension JazzyLogLevel {
    var core: jz_log_level {
        switch self {
        case .debug: JZ_LOG_DEBUG
        case .info: JZ_LOG_INFO
        case .warning: JZ_LOG_WARNING
        case .error: JZ_LOG_ERROR
        }
    }

    package init(_ level: jz_log_level) {
        switch level {
        case JZ_LOG_DEBUG: self = .debug
        case JZ_LOG_INFO: self = .info
        case JZ_LOG_WARNING: self = .warning
        default: self = .error
        }
    }
}

import CJazzyPoll

/// What the core's log callback is given to find the way back to the log closure.
final class LogContext: Sendable {
    let log: JazzyLog

    init(_ log: @escaping JazzyLog) {
        self.log = log
    }

    static let callback: jz_log_function = { context, level, line in
        guard let context, let line else { return }
        let log = Unmanaged<LogContext>.fromOpaque(context).takeUnretainedValue().log
        log(JazzyLogLevel(level), String(cString: line))
    }
}

extension JazzyLogLevel {
    fileprivate init(_ level: jz_log_level) {
        switch level {
        case JZ_LOG_INFO: self = .info
        case JZ_LOG_WARNING: self = .warning
        default: self = .error
        }
    }
}

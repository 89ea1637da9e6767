import CJazzyPoll

extension JazzyLogRecord {
    /// Copies the core's record, which is borrowed for one call of the log.
    init(_ core: jz_log_record) {
        self.init(
            level: JazzyLogLevel(core.level),
            message: String(cString: core.message),
            isPeersFault: core.is_peers_fault,
            address: core.address.map { String(cString: $0) },
            route: core.route.map { String(cString: $0) },
            origin: core.origin.map { String(cString: $0) },
            cause: core.cause.map { String(cString: $0) })
    }
}

// Words for programs, in logs and metrics. They are the same in C.

extension JazzyRefusal {
    /// A word for the reason, such as `not_found`, for logs and metrics. It never changes.
    public var name: String { String(cString: jz_refusal_name(core)) }
}

extension WsError.Rule {
    /// A word for the rule, such as `invalid_utf8`, for logs and metrics. It never changes.
    public var name: String { String(cString: jz_failure_name(core)) }
}

extension WsClose.Cause {
    /// A word for the cause, such as `backpressure`, for logs and metrics. It never changes.
    public var name: String { String(cString: jz_close_cause_name(core)) }
}

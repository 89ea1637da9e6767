import CJazzyPoll

extension WsClose.Cause: CustomStringConvertible {
    /// The reason, as a clause for logs.
    public var description: String { String(cString: jz_close_cause_text(core)) }
}

extension WsClose.Cause {
    init(_ cause: jz_close_cause) {
        self = Self.allCases.first { $0.core == cause } ?? .peer
    }

    var core: jz_close_cause {
        switch self {
        case .peer: JZ_CAUSE_PEER
        case .application: JZ_CAUSE_APPLICATION
        case .backpressure: JZ_CAUSE_BACKPRESSURE
        case .idle: JZ_CAUSE_IDLE
        case .lifetime: JZ_CAUSE_LIFETIME
        case .stopping: JZ_CAUSE_STOPPING
        case .failure: JZ_CAUSE_FAILURE
        case .messageRate: JZ_CAUSE_MESSAGE_RATE
        }
    }
}

import CJazzyPoll

extension JazzyMessageRate {
    /// `name` makes names of options for error messages.
    func core(_ name: (String) -> String) throws(JazzyError) -> jz_message_rate {
        let range = 1...Int(JZ_MAX_MESSAGE_RATE)
        return jz_message_rate(
            per_second: try checked(name("messageRate.messagesPerSecond"), messagesPerSecond, range),
            burst: try checked(name("messageRate.burst"), burst, range), exceeding: exceeding.core)
    }
}

extension JazzyMessageRate.Exceeding {
    fileprivate var core: jz_exceeding {
        switch self {
        case .close: JZ_EXCEEDING_CLOSE
        case .pauseReading: JZ_EXCEEDING_PAUSE
        case .drop: JZ_EXCEEDING_DROP
        }
    }
}

extension JazzyMessageRateCounts {
    /// By `jz_exceeding`.
    init(_ core: (UInt64, UInt64, UInt64)) {
        closes = Int(clamping: core.0)
        pauses = Int(clamping: core.1)
        drops = Int(clamping: core.2)
    }
}

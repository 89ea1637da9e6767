import CJazzyPoll

// The core checks its options too. They are checked here first because only Swift knows their Swift names, and because
// a value that the core's types cannot hold must not reach it as another one.

extension JazzyOptions {
    /// The core's options, without the log.
    func core() throws(JazzyError) -> jz_options {
        var core = jz_options_default()
        core.threads = try checked("threads", threads, 1...Int(JZ_MAX_THREADS))
        core.accepting = accepting.core
        core.worker_threads = try checked("workerThreads", workerThreads, 1...1_024)
        core.backlog = try checked("backlog", backlog, 1...65_535)
        core.receive_buffer_size = try checked("receiveBufferSize", receiveBufferSize, 4 * kibi...16 * mebi)
        core.max_message_size = try checked("maxMessageSize", maxMessageSize, messageSizes)
        core.backpressure_limit = try checked("backpressureLimit", backpressureLimit, 4 * kibi...4 * gibi)
        core.mailbox_limit = try checked("mailboxLimit", mailboxLimit, 64 * kibi...4 * gibi)
        core.handshake_timeout_ms = try milliseconds("handshakeTimeout", handshakeTimeout)
        core.close_timeout_ms = try milliseconds("closeTimeout", closeTimeout)
        return core
    }
}

extension JazzyRouteOptions {
    /// The core's options; `path` is for the message of an error.
    func core(path: String) throws(JazzyError) -> jz_route_options {
        var core = jz_route_options_default()
        if let maxMessageSize {
            core.max_message_size = try checked("maxMessageSize of the route \(path)", maxMessageSize, messageSizes)
        }
        core.deflate = try deflate.core(path: path)
        core.backpressure_policy = backpressurePolicy.core
        if let maxWaitingEvents = execution.maxWaitingEvents {
            core.execution = JZ_EXECUTION_WORKERS
            core.max_waiting_events = try checked(
                "execution.maxWaitingEvents of the route \(path)", maxWaitingEvents, 1...65_536)
        }
        return core
    }
}

extension JazzyAccepting {
    fileprivate var core: jz_accepting {
        switch self {
        case .sharedPort: JZ_ACCEPTING_SHARED_PORT
        case .handOver: JZ_ACCEPTING_HAND_OVER
        }
    }
}

extension JazzyBackpressurePolicy {
    fileprivate var core: jz_backpressure_policy {
        switch self {
        case .drop: JZ_BACKPRESSURE_DROP
        case .close: JZ_BACKPRESSURE_CLOSE
        }
    }
}

extension JazzyDeflate {
    fileprivate func core(path: String) throws(JazzyError) -> jz_deflate_options {
        func name(_ option: String) -> String { "deflate.\(option) of the route \(path)" }
        return jz_deflate_options(
            mode: mode.core,
            window_bits: try checked(name("windowBits"), windowBits, 9...15),
            memory_level: try checked(name("memoryLevel"), memoryLevel, 1...9),
            level: try checked(name("level"), level, 1...9),
            min_message_size: try checked(name("minimumMessageSize"), minimumMessageSize, atLeast: 0))
    }
}

extension JazzyDeflate.Mode {
    fileprivate var core: jz_deflate_mode {
        switch self {
        case .off: JZ_DEFLATE_OFF
        case .shared: JZ_DEFLATE_SHARED
        case .dedicated: JZ_DEFLATE_DEDICATED
        }
    }
}

private let kibi = 1 << 10
private let mebi = 1 << 20
private let gibi = 1 << 30
private let messageSizes = 1...gibi
private let timeouts = Duration.milliseconds(100)...Duration.seconds(3_600)

private func checked<Value: FixedWidthInteger>(
    _ name: String, _ value: Int, _ range: ClosedRange<Int>
) throws(JazzyError) -> Value {
    guard range.contains(value), let value = Value(exactly: value) else {
        throw outOfRange(name, value, range)
    }
    return value
}

private func checked(_ name: String, _ value: Int, atLeast lowest: Int) throws(JazzyError) -> Int {
    guard value >= lowest else {
        throw JazzyError(.invalidOption, "option \(name) is \(value); it has to be at least \(lowest)")
    }
    return value
}

private func milliseconds(_ name: String, _ value: Duration) throws(JazzyError) -> UInt32 {
    guard timeouts.contains(value) else { throw outOfRange(name, value, timeouts) }
    return UInt32(value / .milliseconds(1))
}

private func outOfRange<Value>(_ name: String, _ value: Value, _ range: ClosedRange<Value>) -> JazzyError {
    JazzyError(
        .invalidOption,
        "option \(name) is \(value); it has to be from \(range.lowerBound) to \(range.upperBound)")
}

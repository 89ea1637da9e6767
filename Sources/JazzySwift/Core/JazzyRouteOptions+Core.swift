import CJazzyPoll

extension JazzyRouteOptions {
    /// Calls `body` with the core's options, which are only valid within the call; `path` is for error messages.
    func withCore<Result>(
        path: String, _ body: (inout jz_route_options) throws(JazzyError) -> Result
    ) throws(JazzyError) -> Result {
        var core = try core(path: path)
        let names: KeyValuePairs = [
            "allowed_origins": "origins of the route \(path)", "subprotocols": "subprotocols of the route \(path)",
        ]
        return try withCStrings(of: origins.listed) { (origins, count) throws(JazzyError) in
            core.allowed_origins = origins
            core.allowed_origin_count = count
            return try withCStrings(of: subprotocols) { (subprotocols, count) throws(JazzyError) in
                core.subprotocols = subprotocols
                core.subprotocol_count = count
                return try withSwiftNames(names) { () throws(JazzyError) in try body(&core) }
            }
        }
    }

    /// The core's options, without lists of texts; `path` is for error messages.
    func core(path: String) throws(JazzyError) -> jz_route_options {
        func name(_ option: String) -> String { "\(option) of the route \(path)" }
        var core = jz_route_options_default()
        if let maxMessageSize {
            core.max_message_size = try checkedMessageSize(name("maxMessageSize"), maxMessageSize)
        }
        if let maxFramesPerMessage {
            core.max_frames_per_message = try checkedCount(name("maxFramesPerMessage"), maxFramesPerMessage)
        }
        if let backpressureLimit {
            core.backpressure_limit = try checkedBackpressureLimit(name("backpressureLimit"), backpressureLimit)
        }
        if let kernelSendLimit {
            core.kernel_send_limit = try checked(name("kernelSendLimit"), kernelSendLimit, 4 * kibi...gibi)
        }
        if let idleTimeout { core.idle_timeout_ms = try checkedIdleTimeout(name("idleTimeout"), idleTimeout) }
        if let maxLifetime { core.max_lifetime_ms = try checkedLifetime(name("maxLifetime"), maxLifetime) }
        if let upgradeTimeout {
            core.upgrade_timeout_ms = try checkedUpgradeTimeout(name("upgradeTimeout"), upgradeTimeout)
        }
        core.control_messages = controlMessages
        core.deflate = try deflate.core(path: path)
        if let messageRate { core.message_rate = try messageRate.core(name) }
        core.backpressure_policy = backpressurePolicy.core
        if let maxWaitingEvents = execution.maxWaitingEvents {
            core.execution = JZ_EXECUTION_WORKERS
            core.max_waiting_events = try checked(name("execution.maxWaitingEvents"), maxWaitingEvents, 1...65_536)
        }
        core.origin_policy = origins.core
        try origins.check(name("origins"))
        try checkTexts(name("subprotocols"), subprotocols, atMost: 256)
        return core
    }
}

extension JazzyBackpressurePolicy {
    fileprivate var core: jz_backpressure_policy {
        switch self {
        case .drop: JZ_BACKPRESSURE_DROP
        case .close: JZ_BACKPRESSURE_CLOSE
        case .report: JZ_BACKPRESSURE_REPORT
        }
    }
}

extension JazzyOrigins {
    fileprivate var core: jz_origin_policy {
        switch self {
        case .sameHost: JZ_ORIGIN_SAME_HOST
        case .listed: JZ_ORIGIN_LISTED
        case .any: JZ_ORIGIN_ANY
        }
    }

    fileprivate var listed: [String] {
        guard case .listed(let origins) = self else { return [] }
        return origins
    }

    fileprivate func check(_ name: String) throws(JazzyError) {
        if case .listed([]) = self {
            throw JazzyError(.invalidOption, "option \(name) lists none; list at least one, or allow .any")
        }
        try checkTexts(name, listed, atMost: 1_024)
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

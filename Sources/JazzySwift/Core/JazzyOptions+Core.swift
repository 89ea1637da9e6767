import CJazzyPoll

extension JazzyOptions {
    /// Calls `body` with the core's options, without the log. They are only valid within the call, like the core's
    /// lists of texts.
    func withCore<Result>(_ body: (inout jz_options) throws(JazzyError) -> Result) throws(JazzyError) -> Result {
        var core = try core()
        let names: KeyValuePairs = ["trusted_proxies": "trustedProxies", "client_address_header": "clientAddress"]
        return try withCStrings(of: trustedProxies) { (proxies, count) throws(JazzyError) in
            core.trusted_proxies = proxies
            core.trusted_proxy_count = count
            return try withCStrings(of: clientAddress.header) { (headers, count) throws(JazzyError) in
                core.client_address_header = count > 0 ? headers?.pointee : nil
                return try withSwiftNames(names) { () throws(JazzyError) in try body(&core) }
            }
        }
    }

    /// The core's options, without the log and without lists of texts.
    func core() throws(JazzyError) -> jz_options {
        var core = jz_options_default()
        core.threads = try checked("threads", threads, 1...Int(JZ_MAX_THREADS))
        core.accepting = accepting.core
        core.worker_threads = try checked("workerThreads", workerThreads, 1...1_024)
        core.thread_stack_size = try checked("threadStackSize", threadStackSize, 256 * kibi...gibi)
        core.backlog = try checked("backlog", backlog, 1...65_535)
        core.receive_buffer_size = try checked("receiveBufferSize", receiveBufferSize, 4 * kibi...16 * mebi)
        core.mailbox_limit = try checked("mailboxLimit", mailboxLimit, 64 * kibi...4 * gibi)
        core.history_limit = try checked("historyLimit", historyLimit, 64 * kibi...1024 * gibi)
        core.presence_limit = try checked("presenceLimit", presenceLimit, 64 * kibi...1024 * gibi)
        core.max_members = try checkedCount("maxMembers", maxMembers)
        core.max_member_info = try checked("maxMemberInfo", maxMemberInfo, 0...64 * kibi)
        core.max_message_size = try checkedMessageSize("maxMessageSize", maxMessageSize)
        core.max_frames_per_message = try checkedCount("maxFramesPerMessage", maxFramesPerMessage)
        core.backpressure_limit = try checkedBackpressureLimit("backpressureLimit", backpressureLimit)
        core.log_level = logLevel.core
        try setTimeouts(&core)
        try setAdmission(&core)
        return core
    }

    private func setTimeouts(_ core: inout jz_options) throws(JazzyError) {
        let (lowest, hour) = (Duration.milliseconds(100), Duration.seconds(3_600))
        core.handshake_timeout_ms = try milliseconds("handshakeTimeout", handshakeTimeout, from: lowest, to: hour)
        core.keep_alive_timeout_ms = try milliseconds("keepAliveTimeout", keepAliveTimeout, from: lowest, to: hour)
        core.upgrade_timeout_ms = try checkedUpgradeTimeout("upgradeTimeout", upgradeTimeout)
        core.idle_timeout_ms = try checkedIdleTimeout("idleTimeout", idleTimeout)
        core.max_lifetime_ms = try checkedLifetime("maxLifetime", maxLifetime)
        core.close_timeout_ms = try milliseconds("closeTimeout", closeTimeout, from: lowest, to: hour)
        core.stop_timeout_ms = try milliseconds("stopTimeout", stopTimeout, from: lowest, to: hour)
        core.min_send_rate = try checked("minSendRate", minSendRate, 1...gibi)
        core.tcp_keep_alive_ms = try milliseconds("tcpKeepAlive", tcpKeepAlive, from: .seconds(1), to: .seconds(32_767))
    }

    private func setAdmission(_ core: inout jz_options) throws(JazzyError) {
        core.max_connections = try checkedCount("maxConnections", maxConnections)
        core.max_connections_per_address = try checkedCount("maxConnectionsPerAddress", maxConnectionsPerAddress)
        core.max_handshakes = try checkedCount("maxHandshakes", maxHandshakes)
        core.max_head_size = try checked("maxHeadSize", maxHeadSize, 256...65_536)
        core.max_header_count = try checked("maxHeaderCount", maxHeaderCount, 1...256)
        core.client_address = clientAddress.core
        try clientAddress.check()
        core.forwarded_host = forwardedHost.core
        try checkTexts("trustedProxies", trustedProxies, atMost: 1_024)
        try checkForwardedHost()
        if clientAddress != .peer, trustedProxies.isEmpty {
            throw JazzyError(
                .invalidOption, "option clientAddress is .\(clientAddress); name who is trusted in trustedProxies")
        }
    }
}

extension JazzyOptions {
    private func checkForwardedHost() throws(JazzyError) {
        guard forwardedHost != .none else { return }
        if trustedProxies.isEmpty {
            throw JazzyError(
                .invalidOption, "option forwardedHost is .\(forwardedHost); name who is trusted in trustedProxies")
        }
        if clientAddress == .proxyProtocol {
            throw JazzyError(
                .invalidOption,
                "option forwardedHost is .\(forwardedHost), a header, and with clientAddress .proxyProtocol headers are "
                    + "the client's own; take the address from a header, too")
        }
    }
}

// For the options of the server and of routes.

func checkedMessageSize(_ name: String, _ value: Int) throws(JazzyError) -> Int {
    try checked(name, value, 1...gibi)
}

func checkedBackpressureLimit(_ name: String, _ value: Int) throws(JazzyError) -> Int {
    try checked(name, value, 4 * kibi...4 * gibi)
}

func checkedUpgradeTimeout(_ name: String, _ value: Duration) throws(JazzyError) -> UInt32 {
    try milliseconds(name, value, from: .milliseconds(100), to: .seconds(3_600))
}

func checkedIdleTimeout(_ name: String, _ value: JazzyTimeLimit) throws(JazzyError) -> UInt32 {
    try milliseconds(name, value, from: .milliseconds(100), to: .seconds(86_400))
}

func checkedLifetime(_ name: String, _ value: JazzyTimeLimit) throws(JazzyError) -> UInt32 {
    try milliseconds(name, value, from: .milliseconds(100), to: .seconds(2_592_000))
}

/// The number of cores that this process may use.
var usableCores: Int { Int(jz_options_default().threads) }

/// Errors of the core name options as the core does: this puts the Swift names in their place.
func withSwiftNames<Result>(
    _ names: KeyValuePairs<String, String>, _ body: () throws(JazzyError) -> Result
) throws(JazzyError) -> Result {
    do throws(JazzyError) {
        return try body()
    } catch {
        guard error.code == .invalidOption else { throw error }
        let message = names.reduce(error.message) { message, name in
            message.replacing("option \(name.key) ", with: "option \(name.value) ", maxReplacements: 1)
        }
        throw JazzyError(error.code, message)
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

extension JazzyClientAddress {
    fileprivate var core: jz_client_address {
        switch self {
        case .peer: JZ_CLIENT_ADDRESS_PEER
        case .xForwardedFor: JZ_CLIENT_ADDRESS_X_FORWARDED_FOR
        case .forwarded: JZ_CLIENT_ADDRESS_FORWARDED
        case .proxyProtocol: JZ_CLIENT_ADDRESS_PROXY_PROTOCOL
        case .header: JZ_CLIENT_ADDRESS_HEADER
        }
    }

    /// The core checks the name, too, and suggests what is called otherwise in Swift.
    fileprivate func check() throws(JazzyError) {
        guard case .header(let name) = self else { return }
        try checkTexts("clientAddress", [name], atMost: 1)
        let lists = ["x-forwarded-for": Self.xForwardedFor, "forwarded": .forwarded]
        if let list = lists[name.lowercased()] {
            throw JazzyError(.invalidOption, "option clientAddress is .\(self), a list of addresses; take .\(list)")
        }
    }

    /// The name of the header, or nothing.
    fileprivate var header: [String] {
        guard case .header(let name) = self else { return [] }
        return [name]
    }
}

extension JazzyForwardedHost {
    fileprivate var core: jz_forwarded_host {
        switch self {
        case .none: JZ_FORWARDED_HOST_NONE
        case .xForwardedHost: JZ_FORWARDED_HOST_X_FORWARDED_HOST
        case .forwarded: JZ_FORWARDED_HOST_FORWARDED
        }
    }
}

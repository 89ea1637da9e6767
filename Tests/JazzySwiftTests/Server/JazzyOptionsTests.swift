import CJazzyPoll
import Testing

@testable import JazzySwift

/// An option with its bounds, in Swift and in the core.
struct OptionCase: CustomTestStringConvertible, Sendable {
    let name: String
    let bounds: ClosedRange<Int64>
    /// In the core, the number after the last is that which is unlimited.
    var isUnlimitedBeyond = false
    /// Sets the option; time-outs are in milliseconds.
    let set: @Sendable (inout JazzyOptions, Int64) -> Void
    let setCore: @Sendable (inout jz_options, Int64) -> Void

    var testDescription: String { name }

    static let all = [
        OptionCase(name: "threads", bounds: 1...255) {
            $0.threads = Int($1)
        } setCore: {
            $0.threads = UInt32($1)
        },
        OptionCase(name: "workerThreads", bounds: 1...1_024) {
            $0.workerThreads = Int($1)
        } setCore: {
            $0.worker_threads = UInt32($1)
        },
        OptionCase(name: "threadStackSize", bounds: 262_144...1_073_741_824) {
            $0.threadStackSize = Int($1)
        } setCore: {
            $0.thread_stack_size = Int($1)
        },
        OptionCase(name: "backlog", bounds: 1...65_535) {
            $0.backlog = Int($1)
        } setCore: {
            $0.backlog = UInt32($1)
        },
        OptionCase(name: "receiveBufferSize", bounds: 4_096...16_777_216) {
            $0.receiveBufferSize = Int($1)
        } setCore: {
            $0.receive_buffer_size = Int($1)
        },
        OptionCase(name: "maxMessageSize", bounds: 1...1_073_741_824) {
            $0.maxMessageSize = Int($1)
        } setCore: {
            $0.max_message_size = Int($1)
        },
        OptionCase(name: "backpressureLimit", bounds: 4_096...4_294_967_296) {
            $0.backpressureLimit = Int($1)
        } setCore: {
            $0.backpressure_limit = Int($1)
        },
        OptionCase(name: "mailboxLimit", bounds: 65_536...4_294_967_296) {
            $0.mailboxLimit = Int($1)
        } setCore: {
            $0.mailbox_limit = Int($1)
        },
        OptionCase(name: "historyLimit", bounds: 65_536...1_099_511_627_776) {
            $0.historyLimit = Int($1)
        } setCore: {
            $0.history_limit = Int($1)
        },
        OptionCase(name: "presenceLimit", bounds: 65_536...1_099_511_627_776) {
            $0.presenceLimit = Int($1)
        } setCore: {
            $0.presence_limit = Int($1)
        },
        OptionCase(name: "maxMembers", bounds: 1...4_294_967_294, isUnlimitedBeyond: true) {
            $0.maxMembers = Int($1)
        } setCore: {
            $0.max_members = UInt32($1)
        },
        OptionCase(name: "maxMemberInfo", bounds: 0...65_536) {
            $0.maxMemberInfo = Int($1)
        } setCore: {
            $0.max_member_info = Int($1)
        },
        OptionCase(name: "handshakeTimeout", bounds: 100...3_600_000) {
            $0.handshakeTimeout = .milliseconds($1)
        } setCore: {
            $0.handshake_timeout_ms = UInt32($1)
        },
        OptionCase(name: "keepAliveTimeout", bounds: 100...3_600_000) {
            $0.keepAliveTimeout = .milliseconds($1)
        } setCore: {
            $0.keep_alive_timeout_ms = UInt32($1)
        },
        OptionCase(name: "closeTimeout", bounds: 100...3_600_000) {
            $0.closeTimeout = .milliseconds($1)
        } setCore: {
            $0.close_timeout_ms = UInt32($1)
        },
        OptionCase(name: "stopTimeout", bounds: 100...3_600_000) {
            $0.stopTimeout = .milliseconds($1)
        } setCore: {
            $0.stop_timeout_ms = UInt32($1)
        },
        OptionCase(name: "minSendRate", bounds: 1...1_073_741_824) {
            $0.minSendRate = Int($1)
        } setCore: {
            $0.min_send_rate = UInt32($1)
        },
        OptionCase(name: "upgradeTimeout", bounds: 100...3_600_000) {
            $0.upgradeTimeout = .milliseconds($1)
        } setCore: {
            $0.upgrade_timeout_ms = UInt32($1)
        },
        OptionCase(name: "idleTimeout", bounds: 100...86_400_000) {
            $0.idleTimeout = .after(.milliseconds($1))
        } setCore: {
            $0.idle_timeout_ms = UInt32($1)
        },
        OptionCase(name: "maxLifetime", bounds: 100...2_592_000_000) {
            $0.maxLifetime = .after(.milliseconds($1))
        } setCore: {
            $0.max_lifetime_ms = UInt32($1)
        },
        OptionCase(name: "tcpKeepAlive", bounds: 1_000...32_767_000) {
            $0.tcpKeepAlive = .after(.milliseconds($1))
        } setCore: {
            $0.tcp_keep_alive_ms = UInt32($1)
        },
        OptionCase(name: "maxFramesPerMessage", bounds: 1...4_294_967_294, isUnlimitedBeyond: true) {
            $0.maxFramesPerMessage = Int($1)
        } setCore: {
            $0.max_frames_per_message = UInt32($1)
        },
        OptionCase(name: "maxConnections", bounds: 1...4_294_967_294, isUnlimitedBeyond: true) {
            $0.maxConnections = Int($1)
        } setCore: {
            $0.max_connections = UInt32($1)
        },
        OptionCase(name: "maxConnectionsPerAddress", bounds: 1...4_294_967_294, isUnlimitedBeyond: true) {
            $0.maxConnectionsPerAddress = Int($1)
        } setCore: {
            $0.max_connections_per_address = UInt32($1)
        },
        OptionCase(name: "maxHandshakes", bounds: 1...4_294_967_294, isUnlimitedBeyond: true) {
            $0.maxHandshakes = Int($1)
        } setCore: {
            $0.max_handshakes = UInt32($1)
        },
        OptionCase(name: "maxHeadSize", bounds: 256...65_536) {
            $0.maxHeadSize = Int($1)
        } setCore: {
            $0.max_head_size = UInt32($1)
        },
        OptionCase(name: "maxHeaderCount", bounds: 1...256) {
            $0.maxHeaderCount = Int($1)
        } setCore: {
            $0.max_header_count = UInt32($1)
        },
    ]
}

@Suite("Options", .ownThreads)
struct JazzyOptionsTests {
    @Test("The defaults are the core's")
    func defaults() throws {
        let (swift, core) = (try JazzyOptions().core(), jz_options_default())
        #expect(swift.threads == core.threads)
        #expect(swift.accepting == core.accepting)
        #expect(swift.worker_threads == core.worker_threads)
        #expect(swift.thread_stack_size == core.thread_stack_size)
        #expect(swift.backlog == core.backlog)
        #expect(swift.receive_buffer_size == core.receive_buffer_size)
        #expect(swift.max_message_size == core.max_message_size)
        #expect(swift.backpressure_limit == core.backpressure_limit)
        #expect(swift.handshake_timeout_ms == core.handshake_timeout_ms)
        #expect(swift.keep_alive_timeout_ms == core.keep_alive_timeout_ms)
        #expect(swift.forwarded_host == core.forwarded_host)
        #expect(swift.close_timeout_ms == core.close_timeout_ms)
        #expect("\(swift)" == "\(core)", "and whatever else there is")
    }

    @Test("Both bounds are in range, and reach the core as they are", arguments: OptionCase.all)
    func bounds(option: OptionCase) throws {
        for bound in [option.bounds.lowerBound, option.bounds.upperBound] {
            var options = JazzyOptions()
            option.set(&options, bound)
            var expected = jz_options_default()
            option.setCore(&expected, bound)
            #expect("\(try options.core())" == "\(expected)")
        }
    }

    @Test("What is beyond a bound is refused, naming the option", arguments: OptionCase.all)
    func beyond(option: OptionCase) {
        for value in [option.bounds.lowerBound - 1, option.bounds.upperBound + 1, -1] {
            var options = JazzyOptions()
            option.set(&options, value)
            let error = #expect(throws: JazzyError.self) { try options.core() }
            #expect(error?.code == .invalidOption)
            #expect(error?.message.hasPrefix("option \(option.name) is ") == true)
        }
    }

    @Test("The core has the same bounds", arguments: OptionCase.all)
    func core(option: OptionCase) {
        for (value, isInRange) in [
            (option.bounds.lowerBound, true), (option.bounds.upperBound, true),
            (option.bounds.lowerBound - 1, false), (option.bounds.upperBound + 1, option.isUnlimitedBeyond),
        ] {
            var core = jz_options_default()
            option.setCore(&core, value)
            var error = jz_error()
            let server = jz_server_create(&core, &error)
            #expect((server != nil) == isInRange, "\(value)")
            #expect(error.status == (isInRange ? JZ_OK : JZ_STATUS_INVALID_OPTION), "\(value)")
            jz_server_destroy(server)
        }
    }

    @Test(
        "How connections are accepted is the core's choice of that name",
        arguments: [(JazzyAccepting.sharedPort, JZ_ACCEPTING_SHARED_PORT), (.handOver, JZ_ACCEPTING_HAND_OVER)])
    func accepting(accepting: JazzyAccepting, core: jz_accepting) throws {
        var options = JazzyOptions()
        options.accepting = accepting
        #expect(try options.core().accepting == core)
    }

    @Test("The message names the option, the value and the range")
    func message() {
        var options = JazzyOptions()
        options.threads = -3
        var message = "option threads is -3; it has to be from 1 to 255"
        #expect(throws: JazzyError(.invalidOption, message)) { try options.core() }
        options = JazzyOptions()
        options.closeTimeout = .milliseconds(50)
        message = "option closeTimeout is 0.05 seconds; it has to be from 0.1 seconds to 3600.0 seconds"
        #expect(throws: JazzyError(.invalidOption, message)) { try options.core() }
    }

    @Test("What may be unlimited, or never pass, reaches the core as that")
    func unlimited() throws {
        var options = JazzyOptions()
        options.maxFramesPerMessage = nil
        options.idleTimeout = .never
        options.tcpKeepAlive = .never
        let core = try options.core()
        #expect(core.max_frames_per_message == JZ_UNLIMITED)
        #expect(core.max_connections == JZ_UNLIMITED)
        #expect(core.max_connections_per_address == JZ_UNLIMITED)
        #expect(core.max_handshakes == JZ_UNLIMITED)
        #expect(core.idle_timeout_ms == JZ_NEVER)
        #expect(core.max_lifetime_ms == JZ_NEVER)
        #expect(core.tcp_keep_alive_ms == JZ_NEVER)
    }

    @Test("The message about a time limit tells that there may be none")
    func messageOfTimeLimit() {
        var options = JazzyOptions()
        options.idleTimeout = .after(.milliseconds(99))
        let message = "option idleTimeout is 0.099 seconds; it has to be from 0.1 seconds to 86400.0 seconds, or .never"
        #expect(throws: JazzyError(.invalidOption, message)) { try options.core() }
    }

    @Test("Durations are cut off to whole milliseconds, whatever they are")
    func wholeMilliseconds() {
        #expect(Duration.microseconds(1_999).wholeMilliseconds == 1)
        #expect(Duration.seconds(-1).wholeMilliseconds == 0)
        #expect(Duration.seconds(Int64.max).wholeMilliseconds == .max)
        #expect((Duration.milliseconds(Int64(UInt32.max)) - .nanoseconds(1)).wholeMilliseconds == UInt32.max - 1)
    }

    @Test(
        "Where a client's address is read is the core's choice of that name",
        arguments: [
            (JazzyClientAddress.peer, JZ_CLIENT_ADDRESS_PEER), (.xForwardedFor, JZ_CLIENT_ADDRESS_X_FORWARDED_FOR),
            (.forwarded, JZ_CLIENT_ADDRESS_FORWARDED), (.proxyProtocol, JZ_CLIENT_ADDRESS_PROXY_PROTOCOL),
            (.header("X-Real-IP"), JZ_CLIENT_ADDRESS_HEADER),
        ])
    func clientAddress(clientAddress: JazzyClientAddress, core: jz_client_address) throws {
        var options = JazzyOptions()
        options.clientAddress = clientAddress
        options.trustedProxies = ["unix"]
        #expect(try options.core().client_address == core)
        options.trustedProxies = []
        if clientAddress != .peer {
            let message = "option clientAddress is .\(clientAddress); name who is trusted in trustedProxies"
            #expect(throws: JazzyError(.invalidOption, message)) { try options.core() }
        }
    }

    @Test(
        "Where the host is read that a client asked for is the core's choice of that name",
        arguments: [
            (JazzyForwardedHost.none, JZ_FORWARDED_HOST_NONE), (.xForwardedHost, JZ_FORWARDED_HOST_X_FORWARDED_HOST),
            (.forwarded, JZ_FORWARDED_HOST_FORWARDED),
        ])
    func forwardedHost(forwardedHost: JazzyForwardedHost, core: jz_forwarded_host) throws {
        var options = JazzyOptions()
        options.forwardedHost = forwardedHost
        options.trustedProxies = ["unix"]
        #expect(try options.core().forwarded_host == core)
        guard forwardedHost != .none else { return }
        options.clientAddress = .proxyProtocol
        let error = #expect(throws: JazzyError.self) { try options.core() }
        #expect(error?.message.hasPrefix("option forwardedHost is .\(forwardedHost), a header") == true)
        options.clientAddress = .peer
        options.trustedProxies = []
        let message = "option forwardedHost is .\(forwardedHost); name who is trusted in trustedProxies"
        #expect(throws: JazzyError(.invalidOption, message)) { try options.core() }
    }

    @Test("The name of a client's header reaches the core, if there is one")
    func clientAddressHeader() throws {
        var options = JazzyOptions()
        let name = try options.withCore { $0.client_address_header.map { String(cString: $0) } }
        #expect(name == nil)
        options.clientAddress = .header("CF-Connecting-IP")
        options.trustedProxies = ["unix"]
        let named = try options.withCore { $0.client_address_header.map { String(cString: $0) } }
        #expect(named == "CF-Connecting-IP")
    }

    @Test("Trusted proxies reach the core as they are")
    func trustedProxies() throws {
        var options = JazzyOptions()
        options.trustedProxies = ["192.0.2.7", "", "2001:db8::/32"]
        let proxies = try options.withCore { core in
            (0..<core.trusted_proxy_count).map { core.trusted_proxies[$0].map { String(cString: $0) } }
        }
        #expect(proxies == options.trustedProxies)
    }

    @Test(
        "What is wrong with trusted proxies is told with their name",
        arguments: [["192.0.2.7", "nonsense"], ["192.0.2.7\0"], Array(repeating: "unix", count: 1_025)])
    func wrongProxies(proxies: [String]) {
        var options = JazzyOptions()
        options.trustedProxies = proxies
        let error = #expect(throws: JazzyError.self) { try JazzyServer(options: options).listen(host: "127.0.0.1") }
        #expect(error?.code == .invalidOption)
        #expect(error?.message.hasPrefix("option trustedProxies ") == true)
    }

    @Test("A server with an option out of range does not start")
    func start() {
        var options = JazzyOptions()
        options.maxMessageSize = 0
        let error = #expect(throws: JazzyError.self) { try JazzyServer(options: options).start(port: 0) }
        #expect(error?.code == .invalidOption)
    }
}

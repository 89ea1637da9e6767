import CJazzyPoll
import Testing

@testable import JazzySwift

@Suite("Options of routes", .ownThreads)
struct JazzyRouteOptionsTests {
    static func core(_ options: JazzyRouteOptions) throws -> jz_route_options {
        try options.core(path: "/chat")
    }

    @Test("The defaults are the core's")
    func defaults() throws {
        let (swift, core) = (try Self.core(JazzyRouteOptions()), jz_route_options_default())
        #expect(swift.max_message_size == core.max_message_size)
        #expect("\(swift.deflate)" == "\(core.deflate)")
        #expect(swift.backpressure_policy == core.backpressure_policy)
        #expect(swift.execution == core.execution)
        #expect(swift.max_waiting_events == core.max_waiting_events)
        #expect(swift.origin_policy == core.origin_policy)
        #expect([swift.max_frames_per_message, swift.idle_timeout_ms, swift.max_lifetime_ms] == [0, 0, 0])
        #expect(swift.upgrade_timeout_ms == 0)
        #expect(swift.backpressure_limit == 0)
        #expect(swift.kernel_send_limit == 0)
    }

    @Test(
        "Where a handler runs reaches the core, with how many events may wait",
        arguments: [
            (JazzyExecution.loop, JZ_EXECUTION_LOOP, jz_route_options_default().max_waiting_events),
            (.workers, JZ_EXECUTION_WORKERS, jz_route_options_default().max_waiting_events),
            (.workers(maxWaitingEvents: 1), JZ_EXECUTION_WORKERS, 1),
            (.workers(maxWaitingEvents: 65_536), JZ_EXECUTION_WORKERS, 65_536),
        ])
    func execution(execution: JazzyExecution, core: jz_execution, maxWaitingEvents: UInt32) throws {
        let options = try Self.core(JazzyRouteOptions(execution: execution))
        #expect(options.execution == core)
        #expect(options.max_waiting_events == maxWaitingEvents)
    }

    @Test("A number of waiting events out of range is refused, naming the option", arguments: [0, 65_537, -1, 1 << 32])
    func maxWaitingEvents(number: Int) {
        let error = #expect(throws: JazzyError.self) {
            try Self.core(JazzyRouteOptions(execution: .workers(maxWaitingEvents: number)))
        }
        let message = "option execution.maxWaitingEvents of the route /chat is \(number); it has to be from 1 to 65536"
        #expect(error == JazzyError(.invalidOption, message))
    }

    @Test("The core has the same bounds", arguments: [(0, false), (1, true), (65_536, true), (65_537, false)])
    func coreBounds(number: UInt32, isInRange: Bool) throws {
        let server = try #require(jz_server_create(nil, nil))
        defer { jz_server_destroy(server) }
        var options = jz_route_options_default()
        options.max_waiting_events = number
        let status = jz_server_route_ws(server, "/", &options, { _, _, _, _ in }, nil, nil)
        #expect(status == (isInRange ? JZ_OK : JZ_STATUS_INVALID_OPTION))
    }

    @Test(
        "What happens beyond the backpressure limit is the core's choice of that name",
        arguments: [
            (JazzyBackpressurePolicy.drop, JZ_BACKPRESSURE_DROP), (.close, JZ_BACKPRESSURE_CLOSE),
            (.report, JZ_BACKPRESSURE_REPORT),
        ])
    func backpressurePolicy(policy: JazzyBackpressurePolicy, core: jz_backpressure_policy) throws {
        #expect(try Self.core(JazzyRouteOptions(backpressurePolicy: policy)).backpressure_policy == core)
    }

    @Test("What a route chooses for itself reaches the core")
    func ownLimits() throws {
        let core = try Self.core(
            JazzyRouteOptions(
                maxMessageSize: 1, maxFramesPerMessage: 2, backpressureLimit: 4_096, kernelSendLimit: 8_192,
                idleTimeout: .after(.seconds(3)), maxLifetime: .never, upgradeTimeout: .seconds(4)))
        #expect(core.max_message_size == 1)
        #expect(core.max_frames_per_message == 2)
        #expect(core.backpressure_limit == 4_096)
        #expect(core.kernel_send_limit == 8_192)
        #expect(core.idle_timeout_ms == 3_000)
        #expect(core.max_lifetime_ms == JZ_NEVER)
        #expect(core.upgrade_timeout_ms == 4_000)
    }

    @Test(
        "What is out of range is refused, naming the option and the route",
        arguments: [
            ("maxMessageSize", JazzyRouteOptions(maxMessageSize: 0)),
            ("maxFramesPerMessage", JazzyRouteOptions(maxFramesPerMessage: 4_294_967_295)),
            ("maxFramesPerMessage", JazzyRouteOptions(maxFramesPerMessage: 0)),
            ("backpressureLimit", JazzyRouteOptions(backpressureLimit: 4_095)),
            ("kernelSendLimit", JazzyRouteOptions(kernelSendLimit: 4_095)),
            ("kernelSendLimit", JazzyRouteOptions(kernelSendLimit: 1_073_741_825)),
            ("idleTimeout", JazzyRouteOptions(idleTimeout: .after(.zero))),
            ("maxLifetime", JazzyRouteOptions(maxLifetime: .after(.seconds(2_592_001)))),
            ("upgradeTimeout", JazzyRouteOptions(upgradeTimeout: .milliseconds(-1))),
            ("origins", JazzyRouteOptions(origins: .listed([]))),
            ("origins", JazzyRouteOptions(origins: .listed(["https://example.com/path"]))),
            ("origins", JazzyRouteOptions(origins: .listed(["https://example.com\0"]))),
            ("subprotocols", JazzyRouteOptions(subprotocols: ["no token"])),
            ("subprotocols", JazzyRouteOptions(subprotocols: Array(repeating: "chat", count: 257))),
        ])
    func outOfRange(name: String, options: JazzyRouteOptions) {
        let server = JazzyServer()
        server.ws("/chat", options: options) { _, _, _ in }
        let error = #expect(throws: JazzyError.self) { try server.listen(host: "127.0.0.1") }
        #expect(error?.code == .invalidOption)
        #expect(error?.message.hasPrefix("option \(name) of the route /chat ") == true, "\(String(describing: error))")
    }

    @Test("Lists of texts reach the core as they are")
    func texts() throws {
        let options = JazzyRouteOptions(origins: .listed(["https://a.example", "null"]), subprotocols: ["v2", "v1"])
        try options.withCore(path: "/") { core in
            #expect(core.origin_policy == JZ_ORIGIN_LISTED)
            #expect(
                (0..<core.allowed_origin_count).map { core.allowed_origins[$0].map { String(cString: $0) } }
                    == ["https://a.example", "null"])
            #expect(
                (0..<core.subprotocol_count).map { core.subprotocols[$0].map { String(cString: $0) } }
                    == ["v2", "v1"])
        }
    }

    @Test("Who wants to know what is dropped has to say so")
    func dropsWithoutReport() {
        let server = JazzyServer()
        server.ws("/feed", onDrop: { _ in }) { _, _, _ in }
        let message = "option backpressurePolicy of the route /feed is .drop; with onDrop it has to be .report"
        #expect(throws: JazzyError(.invalidOption, message)) { try server.listen(host: "127.0.0.1") }
    }
}

import CJazzyPoll
import Testing

@testable import JazzySwift

@Suite("Options of routes")
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
        arguments: [(JazzyBackpressurePolicy.drop, JZ_BACKPRESSURE_DROP), (.close, JZ_BACKPRESSURE_CLOSE)])
    func backpressurePolicy(policy: JazzyBackpressurePolicy, core: jz_backpressure_policy) throws {
        #expect(try Self.core(JazzyRouteOptions(backpressurePolicy: policy)).backpressure_policy == core)
    }
}

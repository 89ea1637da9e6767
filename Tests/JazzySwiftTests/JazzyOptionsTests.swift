import CJazzyPoll
import Testing

@testable import JazzySwift

/// An option with its bounds, in Swift and in the core.
struct OptionCase: CustomTestStringConvertible, Sendable {
    let name: String
    let bounds: ClosedRange<Int64>
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
        OptionCase(name: "handshakeTimeout", bounds: 100...3_600_000) {
            $0.handshakeTimeout = .milliseconds($1)
        } setCore: {
            $0.handshake_timeout_ms = UInt32($1)
        },
        OptionCase(name: "closeTimeout", bounds: 100...3_600_000) {
            $0.closeTimeout = .milliseconds($1)
        } setCore: {
            $0.close_timeout_ms = UInt32($1)
        },
    ]
}

@Suite("Options")
struct JazzyOptionsTests {
    @Test("The defaults are the core's")
    func defaults() throws {
        let (swift, core) = (try JazzyOptions().core(), jz_options_default())
        #expect(swift.threads == core.threads)
        #expect(swift.accepting == core.accepting)
        #expect(swift.worker_threads == core.worker_threads)
        #expect(swift.backlog == core.backlog)
        #expect(swift.receive_buffer_size == core.receive_buffer_size)
        #expect(swift.max_message_size == core.max_message_size)
        #expect(swift.backpressure_limit == core.backpressure_limit)
        #expect(swift.handshake_timeout_ms == core.handshake_timeout_ms)
        #expect(swift.close_timeout_ms == core.close_timeout_ms)
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
            (option.bounds.lowerBound - 1, false), (option.bounds.upperBound + 1, false),
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

    @Test("A server with an option out of range does not start")
    func start() {
        var options = JazzyOptions()
        options.maxMessageSize = 0
        let error = #expect(throws: JazzyError.self) { try JazzyServer(options: options).start(port: 0) }
        #expect(error?.code == .invalidOption)
    }
}

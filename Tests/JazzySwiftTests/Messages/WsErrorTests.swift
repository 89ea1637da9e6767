import CJazzyPoll
import Testing

@testable import JazzySwift

@Suite("Failures of connections")
struct WsErrorTests {
    @Test("Each rule tells the close code that RFC 6455 gives it")
    func closeCodes() {
        let others: [WsError.Rule: UInt16] = [
            .invalidUTF8: 1007,
            .invalidCompression: 1007,
            .messageTooBig: 1009,
            .tooManyFrames: 1009,
            .outOfMemory: 1011,
            .idleTimeout: 1001,
            .transport: 1006,
        ]
        for rule in WsError.Rule.allCases {
            #expect(WsError(rule).closeCode == others[rule, default: 1002], "\(rule)")
        }
    }

    @Test("Each failure of the core is a rule of its own")
    func core() {
        let failures = JZ_FAILURE_RESERVED_BITS.rawValue...JZ_FAILURE_TRANSPORT.rawValue
        let rules = failures.map { WsError.Rule(jz_failure(rawValue: $0)) }
        #expect(rules == WsError.Rule.allCases)
        #expect(rules.map(\.core.rawValue) == Array(failures))
    }

    @Test("The description says what went wrong")
    func descriptions() {
        #expect("\(WsError(.notMasked))" == "the frame is not masked")
        #expect(Set(WsError.Rule.allCases.map { WsError($0).description }).count == WsError.Rule.allCases.count)
    }
}

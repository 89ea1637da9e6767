import CJazzyPoll
import JazzySwift
import Testing

@Suite("Close codes", .ownThreads)
struct WsCloseCodeTests {
    @Test(
        "The names are the core's, and the numbers those of the RFC and of IANA",
        arguments: [
            (WsCloseCode.normal, JZ_CLOSE_NORMAL, 1000), (.goingAway, JZ_CLOSE_GOING_AWAY, 1001),
            (.protocolError, JZ_CLOSE_PROTOCOL_ERROR, 1002), (.unsupportedData, JZ_CLOSE_UNSUPPORTED_DATA, 1003),
            (.noStatus, JZ_CLOSE_NO_STATUS, 1005), (.abnormal, JZ_CLOSE_ABNORMAL, 1006),
            (.invalidPayload, JZ_CLOSE_INVALID_PAYLOAD, 1007), (.policyViolation, JZ_CLOSE_POLICY_VIOLATION, 1008),
            (.messageTooBig, JZ_CLOSE_MESSAGE_TOO_BIG, 1009),
            (.mandatoryExtension, JZ_CLOSE_MANDATORY_EXTENSION, 1010),
            (.internalError, JZ_CLOSE_INTERNAL_ERROR, 1011), (.serviceRestart, JZ_CLOSE_SERVICE_RESTART, 1012),
            (.tryAgainLater, JZ_CLOSE_TRY_AGAIN_LATER, 1013), (.badGateway, JZ_CLOSE_BAD_GATEWAY, 1014),
            (.tlsHandshake, JZ_CLOSE_TLS_HANDSHAKE, 1015),
        ])
    func names(name: WsCloseCode, core: Int, number: Int) {
        #expect(name == number)
        #expect(core == number)
    }

    @Test("A name, a number and a variable are used alike")
    func uses() throws {
        let closes = Recorder<WsClose>()
        try withServer {
            $0.ws("/") { ws, event, message in
                let number: UInt16 = 4_000
                switch (event, message.text) {
                case (.message, "name"): ws.close(code: .policyViolation)
                case (.message, "number"): ws.close(code: 1008)
                case (.message, "variable"): ws.close(code: number)
                case (.close(let close), _): closes.record(close)
                default: break
                }
            }
        } body: { server in
            for (number, use) in ["name", "number", "variable"].enumerated() {
                let client = try TestClient(port: server.port, path: "/")
                try client.send(use)
                let code = try client.receiveClose()
                #expect(number < 2 ? code == .policyViolation : code == 4_000)
                let close = try closes.values(count: number + 1)[number]
                switch close.code {
                case .policyViolation: #expect(number < 2)
                case 4_000...: #expect(number == 2)
                default: throw TestFailure("closed with \(close.code)")
                }
            }
            #expect(server.statistics.closes(code: .policyViolation) == 2)
        }
    }
}

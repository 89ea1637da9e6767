import JazzySwift
import Testing

@Suite("Pings and pongs", .ownThreads)
struct ControlMessageTests {
    @Test(
        "A handler is called with them unless its route says otherwise; they are answered and counted all the same",
        arguments: [JazzyExecution.loop, .workers], [true, false])
    func controlMessages(execution: JazzyExecution, controlMessages: Bool) throws {
        let kinds = Recorder<WsMessageKind>()
        let options = JazzyRouteOptions(controlMessages: controlMessages, execution: execution)
        try withServer {
            $0.ws("/", options: options) { ws, event, message in
                if event == .message { kinds.record(message.kind) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send(.ping, [1])
            try client.send(.pong, [2])
            try client.send("text")
            #expect(try client.receive() == .init(opcode: .pong, payload: [1]))
            let expected: [WsMessageKind] = controlMessages ? [.ping, .pong, .text] : [.text]
            #expect(try kinds.values(count: expected.count) == expected)
            let received = server.statistics.messagesReceived
            #expect([received.ping, received.pong, received.text] == [1, 1, 1])
        }
    }
}

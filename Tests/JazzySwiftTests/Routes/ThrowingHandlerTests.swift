import Dispatch
import JazzySwift
import Testing

@Suite("Handlers that throw", .ownThreads)
struct ThrowingHandlerTests {
    struct Mishap: Error {}

    @Test("The error is logged, the connection closed with 1011, and the server lives on")
    func handlerThrows() throws {
        let log = Recorder<String>()
        var options = JazzyOptions()
        options.log = { level, line in if level != .info { log.record("\(level): \(line)") } }
        try withServer(options: options) {
            $0.ws("/mishap") { ws, event, message in
                if event == .message, message.text == "throw" { throw Mishap() }
                if event == .message { ws.send(message.text) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/mishap")
            try client.send("throw")
            #expect(try client.receiveClose() == 1011)
            let line = "error: \(client.localAddress): the handler of /mishap threw Mishap"
            #expect(log.values == [line])

            let another = try TestClient(port: server.port, path: "/mishap")
            try another.send("still there?")
            #expect(try another.receiveText() == "still there?")
        }
    }

    /// How a client leaves, and what the handler hears of it.
    struct Departure: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let events: [WsEvent]
        let depart: @Sendable (TestClient) throws -> Void

        static let all = [
            Departure(testDescription: "it closes", events: [.close(WsClose(code: 1000))]) {
                try $0.sendClose(code: 1000)
            },
            Departure(
                testDescription: "it resets the connection",
                events: [
                    .error(WsError(.transport)),
                    .close(WsClose(code: 1006, wasClean: false, cause: .failure, failure: WsError(.transport))),
                ]
            ) { $0.reset() },
        ]
    }

    @Test(
        "On workers it gets none of the messages that waited, though the client has left before it threw",
        arguments: Departure.all)
    func clientHasLeft(departure: Departure) throws {
        let (connections, events, log) = (Recorder<JazzyWebSocket>(), Recorder<WsEvent>(), Recorder<String>())
        let mayThrow = DispatchSemaphore(value: 0)
        try withServer(options: UpgradeTests.options(log)) {
            $0.ws("/", options: JazzyRouteOptions(execution: .workers)) { ws, event, _ in
                events.record(event)
                guard event == .message else { return }
                connections.record(ws)
                _ = mayThrow.wait(timeout: .now() + 10)
                throw Mishap()
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            let texts = ["one", "two", "three"]
            try client.send(together: texts)
            let ws = try connections.values(count: 1)[0]
            try departure.depart(client)
            try eventually("the server has seen that it left") { !ws.isOpen }
            for _ in texts { mayThrow.signal() }
            try eventually("the close event was handled") { events.values.last == departure.events.last }
            #expect(events.values == [.open, .message] + departure.events)
            #expect(log.values.filter { $0.contains("Mishap") }.count == 1)
        }
    }

    @Test("What cannot be encoded as JSON throws an EncodingError, and nothing is sent")
    func json() throws {
        try withServer {
            $0.ws("/") { ws, event, _ in
                guard event == .open else { return }
                do {
                    try ws.send(json: Double.nan)
                } catch is EncodingError {
                    ws.send("not a number")
                }
            }
        } body: { server in
            let text = try TestClient(port: server.port, path: "/").receiveText()
            #expect(text == "not a number")
        }
    }
}

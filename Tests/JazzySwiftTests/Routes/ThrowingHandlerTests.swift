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

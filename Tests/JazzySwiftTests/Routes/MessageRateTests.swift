import CJazzyPoll
import Testing

@testable import JazzySwift

@Suite("Message rates", .ownThreads)
struct MessageRateTests {
    /// So slow that no second message is due within a test.
    private static func slow(_ exceeding: JazzyMessageRate.Exceeding, burst: Int) -> JazzyRouteOptions {
        JazzyRouteOptions(messageRate: .perSecond(1, burst: burst, exceeding: exceeding))
    }

    @Test("Who exceeds the rate is closed with 1008, and its own cause", arguments: [JazzyExecution.loop, .workers])
    func close(execution: JazzyExecution) throws {
        let causes = Recorder<WsClose.Cause>()
        var options = Self.slow(.close, burst: 2)
        options.execution = execution
        try withServer {
            $0.ws("/", options: options) { ws, event, message in
                switch event {
                case .message: ws.send(message.text)
                case .close(let close): causes.record(close.cause)
                default: break
                }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send(together: ["a", "b", "c", "d"])
            var answers: [String] = []
            var frame = try client.receive()
            while frame.opcode == .text {
                answers.append(frame.text)
                frame = try client.receive()
            }
            // A worker may come to a message when the connection is closing already.
            #expect(execution == .loop ? answers == ["a", "b"] : ["a", "b"].starts(with: answers))
            #expect(frame.close?.code == 1008)
            try client.sendClose(code: 1008)
            #expect(try causes.values(count: 1) == [.messageRate])
            #expect(server.statistics.closes(cause: .messageRate) == 1)
            #expect(server.statistics.messageRate.closes == 1)
            #expect(server.statistics.messageRate.pauses + server.statistics.messageRate.drops == 0)
        }
    }

    @Test("What exceeds the rate is dropped, and counted")
    func drop() throws {
        try withServer {
            $0.ws("/", options: Self.slow(.drop, burst: 2)) { ws, event, message in
                if event == .message { ws.send(message.text) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send(together: ["a", "b", "c", "d"])
            try client.send(.ping, [1])
            #expect(try [client.receiveText(), client.receiveText()] == ["a", "b"])
            #expect(try client.receive() == TestClient.Frame(opcode: .pong, payload: [1]))
            #expect(server.statistics.messageRate.drops == 2)
            #expect(server.statistics.messagesReceived.text == 4)
        }
    }

    @Test("Reading pauses, and no message is lost or reordered", arguments: [JazzyExecution.loop, .workers])
    func pause(execution: JazzyExecution) throws {
        let rate = JazzyMessageRate.perSecond(500, burst: 1, exceeding: .pauseReading)
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(execution: execution, messageRate: rate)) { ws, event, message in
                if event == .message { ws.send(message.text) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            for number in 0..<200 { try client.send("\(number)") }
            for number in 0..<200 { #expect(try client.receiveText() == "\(number)") }
            #expect(server.statistics.messageRate.pauses > 0)
        }
    }

    @Test("A route whose handlers are tasks has the rate, too")
    func tasks() throws {
        let rate = JazzyMessageRate.perSecond(500, burst: 10, exceeding: .pauseReading)
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(messageRate: rate)) { ws, messages in
                for try await message in messages { ws.send(message.text) }
            }
            $0.ws("/closing", options: Self.slow(.close, burst: 1)) { ws, messages in
                for try await message in messages { ws.send(message.text) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            for number in 0..<200 { try client.send("\(number)") }
            for number in 0..<200 { #expect(try client.receiveText() == "\(number)") }
            let closed = try TestClient(port: server.port, path: "/closing")
            try closed.send(together: ["a", "b"])
            var frame = try closed.receive()
            if frame.opcode == .text { frame = try closed.receive() }  // the task may have been faster
            #expect(frame.opcode == .close)
            #expect(frame.payload.prefix(2) == [0x03, 0xF0])
        }
    }

    @Test(
        "A rate reaches the core",
        arguments: [
            (JazzyMessageRate.perSecond(20, burst: 40, exceeding: .close), 20, 40, JZ_EXCEEDING_CLOSE),
            (.perSecond(1, exceeding: .pauseReading), 1, 1, JZ_EXCEEDING_PAUSE),
            (.perSecond(1_000_000, burst: 1_000_000, exceeding: .drop), 1_000_000, 1_000_000, JZ_EXCEEDING_DROP),
        ])
    func core(rate: JazzyMessageRate, perSecond: UInt32, burst: UInt32, exceeding: jz_exceeding) throws {
        let core = try JazzyRouteOptions(messageRate: rate).core(path: "/chat").message_rate
        #expect((core.per_second, core.burst) == (perSecond, burst))
        #expect(core.exceeding == exceeding)
    }

    @Test("Without a rate the core has none")
    func none() throws {
        #expect(JazzyRouteOptions().messageRate == nil)
        #expect(try JazzyRouteOptions().core(path: "/chat").message_rate.per_second == 0)
    }

    @Test(
        "A rate out of range is refused, naming the option",
        arguments: [
            (JazzyMessageRate.perSecond(0, burst: 1, exceeding: .drop), "messageRate.messagesPerSecond", 0),
            (.perSecond(1_000_001, burst: 1, exceeding: .drop), "messageRate.messagesPerSecond", 1_000_001),
            (.perSecond(-1, exceeding: .drop), "messageRate.messagesPerSecond", -1),
            (.perSecond(1, burst: 0, exceeding: .close), "messageRate.burst", 0),
            (.perSecond(1, burst: 1 << 32 + 1, exceeding: .close), "messageRate.burst", 1 << 32 + 1),
        ])
    func ranges(rate: JazzyMessageRate, name: String, value: Int) {
        let message = "option \(name) of the route /chat is \(value); it has to be from 1 to 1000000"
        #expect(throws: JazzyError(.invalidOption, message)) {
            try JazzyRouteOptions(messageRate: rate).core(path: "/chat")
        }
    }
}

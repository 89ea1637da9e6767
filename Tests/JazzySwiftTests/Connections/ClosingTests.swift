import CJazzyPoll
import Testing

@testable import JazzySwift

@Suite("Closing", .ownThreads)
struct ClosingTests {
    /// What a message asks the connection to do: its first word.
    static func act(on ws: JazzyWebSocket, _ message: WsMessage) -> JazzySendStatus? {
        guard message.kind == .text else { return nil }
        return message.text == "terminate" ? ws.terminate() : ws.close(code: UInt16(message.text) ?? 0, reason: "why")
    }

    @Test(
        "What a close event hands on closes all the same", arguments: [JazzyExecution.loop, .workers],
        [(1000, 1000), (1005, nil), (1006, 1001), (1015, 1011)] as [(UInt16, UInt16?)])
    func codes(execution: JazzyExecution, code: (given: UInt16, sent: UInt16?)) throws {
        let closes = Recorder<WsClose>()
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(execution: execution)) { ws, event, message in
                if event == .message { _ = Self.act(on: ws, message) }
                if case .close(let close) = event { closes.record(close) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send("\(code.given)")
            let payload = code.sent.map { [UInt8($0 >> 8), UInt8($0 & 0xFF)] + Array("why".utf8) }
            #expect(try client.receive() == .init(opcode: .close, payload: payload ?? []))
            try client.sendClose(code: 4_001)
            #expect(try closes.values(count: 1) == [WsClose(code: 4_001, cause: .application)])
        }
    }

    @Test("Who is terminated is sent no close frame", arguments: [JazzyExecution.loop, .workers])
    func terminate(execution: JazzyExecution) throws {
        let closes = Recorder<WsClose>()
        let statuses = Recorder<JazzySendStatus?>()
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(execution: execution)) { ws, event, message in
                if event == .message { statuses.record(Self.act(on: ws, message)) }
                if case .close(let close) = event { closes.record(close) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send("terminate")
            #expect(throws: (any Error).self) { try client.receive() }
            #expect(
                try closes.values(count: 1) == [WsClose(code: 1006, wasClean: false, cause: .application)])
            #expect(statuses.values == [execution == .loop ? .sent : .queued])
        }
    }

    @Test(
        "In its close event a connection tells the others that it has left, and knows who it was",
        arguments: [JazzyExecution.loop, .workers])
    func leaving(execution: JazzyExecution) throws {
        let answers = Recorder<String>()
        let server = JazzyServer()
        server.ws("/", options: JazzyRouteOptions(execution: execution, subprotocols: ["chat"])) {
            [weak server] ws, event, _ in
            if event == .open { ws.subscribe("room") }
            guard case .close = event else { return }
            let address = ws.remoteAddress ?? "nowhere"
            answers.record("\(ws.topics) \(ws.isSubscribed(to: "room")) \(ws.subprotocol ?? "none") \(address)")
            answers.record("\(server?.subscriberCount("room") ?? 0) \(ws.publish("room", "\(address) has left"))")
        }
        try server.start(host: "127.0.0.1", port: 0)
        let leaver = try TestClient(
            TestHandshake(port: server.port, path: "/", headers: ["Sec-WebSocket-Protocol": "chat"]))
        let other = try TestClient(port: server.port, path: "/")
        try eventually("both are subscribed") { server.subscriberCount("room") == 2 }
        try leaver.sendClose(code: 1000)
        #expect(try other.receiveText() == "\(leaver.localAddress) has left")
        #expect(
            try answers.values(count: 2) == ["[\"room\"] true chat \(leaver.localAddress)", "2 sent"])
        try eventually("it has left") { server.subscriberCount("room") == 1 }
        server.stop()
        _ = try other.receiveClose()
        server.wait()
    }

    @Test("A close event says at what a connection failed")
    func failure() throws {
        let closes = Recorder<WsClose>()
        try withServer {
            $0.ws("/") { _, event, _ in
                if case .close(let close) = event { closes.record(close) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.sendRaw([0x81, 0x01, 0x41])
            #expect(try client.receiveClose() == 1002)
            let failure = WsError(.notMasked)
            #expect(
                try closes.values(count: 1) == [
                    WsClose(code: 1002, wasClean: false, cause: .failure, failure: failure)
                ])
        }
    }

    @Test("Each cause of the core is a case of its own, with a text of its own")
    func causes() {
        let all = (0..<JZ_CAUSE_COUNT.rawValue).map { jz_close_cause(rawValue: $0) }
        #expect(WsClose.Cause.allCases.map(\.core) == all)
        #expect(all.map { WsClose.Cause($0) } == WsClose.Cause.allCases)
        #expect(Set(WsClose.Cause.allCases.map(\.description)).count == all.count)
        #expect("\(WsClose.Cause.application)" == "the application closed it")
    }
}

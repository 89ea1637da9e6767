import JazzySwift
import Testing

@Suite("Connections", .ownThreads)
struct JazzyWebSocketTests {
    @Test("A handle equals itself in every event and no other, also when its connection is gone")
    func identity() throws {
        let handles = Recorder<JazzyWebSocket>()
        try withServer {
            $0.ws("/") { ws, _, _ in handles.record(ws) }
        } body: { server in
            for _ in 1...2 {
                let client = try TestClient(port: server.port, path: "/")
                try client.send("message")
                try client.sendClose(code: 1000)
                #expect(try client.receive().opcode == .close)
            }
            let (first, second) = (try handles.values(count: 6).prefix(3), handles.values.suffix(3))
            #expect(Set(first).count == 1)
            #expect(Set(second).count == 1)
            #expect(Set(handles.values).count == 2)
        }
    }

    @Test("A connection tells its peer's address, and whether it is open")
    func properties() throws {
        let opened = Recorder<JazzyWebSocket>()
        try withServer {
            $0.ws("/") { ws, event, _ in if event == .open { opened.record(ws) } }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            let ws = try opened.values(count: 1)[0]
            #expect(ws.isOpen)
            #expect(ws.remoteAddress == client.localAddress)
            try eventually("the handshake's answer is with the kernel") { ws.bufferedAmount == 0 }
            try client.sendClose(code: 1000)
            try eventually("the connection is gone") { ws.remoteAddress == nil }
            #expect(!ws.isOpen)
            #expect(ws.bufferedAmount == 0)
        }
    }

    @Test("Sending tells what became of the message")
    func statuses() throws {
        let opened = Recorder<JazzyWebSocket>()
        let statuses = Recorder<JazzySendStatus>()
        try withServer {
            $0.ws("/") { ws, event, _ in
                guard event == .open else { return }
                statuses.record(ws.send("in the handler"))
                statuses.record(ws.ping([UInt8](repeating: 0, count: 126)))
                statuses.record(ws.close(code: 1004))
                opened.record(ws)
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            let ws = try opened.values(count: 1)[0]
            #expect(statuses.values == [.sent, .dropped, .dropped])
            #expect(ws.send("from another thread") == .queued)
            #expect(try client.receiveText() == "in the handler")
            #expect(try client.receiveText() == "from another thread")
            #expect(ws.close() == .queued)
            #expect(try client.receiveClose() == 1000)
            #expect(ws.send("too late") == .closed)
            #expect(ws.send([1, 2, 3]) == .closed)
            #expect(ws.ping() == .closed)
            #expect(ws.close() == .closed)
            #expect(try ws.send(json: 1) == .closed)
        }
    }

    @Test("What a peer does not read is queued up to the backpressure limit, and dropped beyond it")
    func backpressure() throws {
        let (limit, frameSize) = (65_536, 4 + 16_384)
        var options = JazzyOptions()
        options.backpressureLimit = limit
        let outcomes = Recorder<(status: JazzySendStatus, bufferedAmount: Int)>()
        try withServer(options: options) {
            $0.ws("/") { ws, event, _ in
                guard event == .open else { return }
                let bytes = [UInt8](repeating: 7, count: 16_384)
                // The kernel's buffers take some megabytes, and nothing is gained by more than these 64.
                for _ in 1...4096 where outcomes.values.last?.status != .dropped {
                    outcomes.record((ws.send(bytes), ws.bufferedAmount))
                }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try eventually("a send is dropped") { outcomes.values.last?.status == .dropped }
            #expect(outcomes.values.first?.status == .sent)
            #expect(outcomes.values.contains { $0.status == .queued })
            // The message that exceeds the limit is accepted, the next one is not.
            #expect(outcomes.values.allSatisfy { $0.bufferedAmount <= limit + frameSize })
            #expect(outcomes.values.last.map { $0.bufferedAmount >= limit } == true)
            for _ in outcomes.values.dropLast() {
                #expect(try client.receive().payload.count == 16_384)
            }
        }
    }

    @Test("A close carries its code and reason, and whether it was clean")
    func close() throws {
        let closes = Recorder<WsClose>()
        try withServer {
            $0.ws("/") { ws, event, message in
                if event == .message { ws.close(code: 4_321, reason: "Grüße") }
                if case .close(let close) = event { closes.record(close) }
            }
        } body: { server in
            let closedByServer = try TestClient(port: server.port, path: "/")
            try closedByServer.send("close")
            let frame = try closedByServer.receive()
            #expect(frame == .init(opcode: .close, payload: [0x10, 0xE1] + Array("Grüße".utf8)))
            try closedByServer.sendClose(code: 4_321)
            #expect(try closes.values(count: 1)[0] == WsClose(code: 4_321, cause: .application))

            let closedByClient = try TestClient(port: server.port, path: "/")
            try closedByClient.sendClose(code: 3_000, reason: "tschüß")
            #expect(try closes.values(count: 2)[1] == WsClose(code: 3_000, reason: "tschüß"))

            _ = try TestClient(port: server.port, path: "/")
            #expect(try closes.values(count: 3)[2] == WsClose(code: 1006, wasClean: false))
        }
    }

    @Test("A broken rule is an error before the close, and the peer is told")
    func error() throws {
        let events = Recorder<WsEvent>()
        try withServer {
            $0.ws("/") { _, event, _ in events.record(event) }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.sendRaw([0x81, 0x01, 0x41])
            #expect(try client.receiveClose() == 1002)
            let seen = try events.values(count: 3)
            #expect(seen.prefix(2) == [.open, .error(WsError(.notMasked))])
            guard case .close(let close) = seen[2] else { throw TestFailure("a close was expected, not \(seen[2])") }
            #expect(close.code == 1002)
        }
    }
}

import JazzySwift
import Testing

@Suite("Ends of servers", .ownThreads)
struct EndingTests {
    static func server(_ routes: (JazzyServer) -> Void = { $0.ws("/") { _, _, _ in } }) throws -> JazzyServer {
        let server = JazzyServer(options: .patient)
        routes(server)
        try server.start(host: "127.0.0.1")
        return server
    }

    static func ending(clean: Int = 0, unclean: Int = 0, cutOff: Int = 0, others: Int = 0) -> JazzyEnding {
        var ending = JazzyEnding()
        ending.clean = clean
        ending.unclean = unclean
        ending.cutOff = cutOff
        ending.others = others
        return ending
    }

    @Test("Stopping with a grace waits, and tells how the connections ended")
    func counts() throws {
        let server = try Self.server()
        let clients = try (1...4).map { _ in try TestClient(port: server.port, path: "/") }
        let other = try TestSocket(port: server.port)
        try eventually("all are there") { server.statistics.connections == 5 && server.statistics.webSockets == 4 }
        let ending = Holder<JazzyEnding>()
        try inBackground {
            ending.value = server.stop(grace: .seconds(3_600))
        } while: {
            #expect(try clients[0].receiveClose() == 1001)
            #expect(try clients[1].receiveClose() == 1001)
            _ = try clients[2].receive()
            clients[2].reset()
            #expect(other.awaitEnd())
            // The last one does not answer, and is waited for until another call has no grace.
            _ = try clients[3].receive()
            try eventually("the others have ended") { server.statistics.connections == 1 }
            server.stop(grace: .zero)
        }
        #expect(ending.value == Self.ending(clean: 2, unclean: 1, cutOff: 1, others: 1))
        #expect(server.port == 0)
    }

    @Test("Without a grace, who is there is cut off at once")
    func noGrace() throws {
        var options = JazzyOptions.patient
        options.closeTimeout = .seconds(3_600)
        let server = JazzyServer(options: options)
        server.ws("/") { _, _, _ in }
        try server.start(host: "127.0.0.1")
        let client = try TestClient(port: server.port, path: "/")
        try eventually("it is there") { server.statistics.webSockets == 1 }
        let stopping = BackgroundThread { #expect(server.stop(grace: .seconds(-1)) == Self.ending(cutOff: 1)) }
        try stopping.wait()
        withExtendedLifetime(client) {}
    }

    @Test("A server that does not run has nothing that could end")
    func idle() throws {
        let server = JazzyServer()
        #expect(server.stop(grace: .seconds(1)) == JazzyEnding())
        try server.listen(host: "127.0.0.1")
        #expect(server.stop(grace: .seconds(1)) == JazzyEnding())
        server.drain()
    }

    @Test("A code and a reason of one's own reach the clients, whose close events say that the server stopped")
    func codeAndReason() throws {
        let closes = Recorder<WsClose>()
        let server = try Self.server {
            $0.ws("/") { _, event, _ in if case .close(let close) = event { closes.record(close) } }
        }
        let client = try TestClient(port: server.port, path: "/")
        let ending = Holder<JazzyEnding>()
        try inBackground {
            ending.value = try? server.stop(code: 1012, reason: "service restart")
        } while: {
            #expect(try client.receive() == .init(opcode: .close, payload: [3, 0xF4] + Array("service restart".utf8)))
            try client.sendClose(code: 1012)
        }
        #expect(ending.value == Self.ending(clean: 1))
        #expect(closes.values == [WsClose(code: 1012, cause: .stopping)])
    }

    @Test("A code that may not be sent is refused, and the server goes on")
    func refusedCode() async throws {
        let server = try Self.server {
            $0.ws("/") { ws, event, message in if event == .message { ws.send(message.text) } }
        }
        func stop(code: UInt16) throws(JazzyError) { try server.stop(code: code) }
        let error = #expect(throws: JazzyError.self) { try stop(code: 1004) }
        #expect(error?.code == .invalidOption)
        #expect(error?.message.contains("close_code 1004 may not be sent; use 1000-1003") == true)
        await #expect(throws: JazzyError.self) { try await server.stopAndWait(code: 5_000) }
        let client = try TestClient(port: server.port, path: "/")
        try client.send("still there?")
        #expect(try client.receiveText() == "still there?")
        try client.sendClose(code: 1000)
        _ = try client.receive()
        #expect(try await server.stopAndWait(code: 1012) == Self.ending())
    }

    @Test("The close frames can be spread over a time: who is not told yet is served")
    func spread() throws {
        var options = JazzyOptions.patient
        options.threads = 1
        let server = JazzyServer(options: options)
        server.ws("/") { ws, event, message in if event == .message { ws.send(message.text) } }
        try server.start(host: "127.0.0.1")
        let told = try TestClient(port: server.port, path: "/")
        let other = try TestClient(port: server.port, path: "/")
        let ending = Holder<JazzyEnding>()
        try inBackground {
            ending.value = try server.stop(code: 1012, spread: .seconds(3_600), grace: .seconds(3_600))
        } while: {
            // The other one is due in half an hour.
            #expect(try told.receiveClose() == 1012)
            try other.send("served?")
            #expect(try other.receiveText() == "served?")
            server.stop()
            #expect(try other.receiveClose() == 1012)
        }
        #expect(ending.value == Self.ending(clean: 2))
    }

    @Test("In a handler it only begins", arguments: [JazzyExecution.loop, .workers])
    func inHandler(execution: JazzyExecution) throws {
        let answers = Recorder<JazzyEnding?>()
        let server = JazzyServer()
        server.ws("/", options: JazzyRouteOptions(execution: execution)) { [weak server] _, event, _ in
            if event == .message { answers.record(server?.stop(grace: .seconds(5))) }
        }
        try server.start(host: "127.0.0.1")
        let client = try TestClient(port: server.port, path: "/")
        try client.send("stop")
        #expect(try client.receiveClose() == 1001)
        server.wait()
        #expect(answers.values == [nil])
    }

    @Test("It may be awaited")
    func awaiting() async throws {
        let server = try Self.server()
        let client = try TestClient(port: server.port, path: "/")
        try eventually("it is there") { server.statistics.webSockets == 1 }
        // Not `async let`, which would wait for the thread that this blocks.
        let ending = Task.detached { await server.stopAndWait(grace: .seconds(5)) }
        #expect(try client.receiveClose() == 1001)
        #expect(await ending.value == Self.ending(clean: 1))
        #expect(await server.stopAndWait(grace: .zero) == JazzyEnding())
    }

    @Test("It may be awaited in an upgrade hook, which is then too late")
    func awaitingInHook() throws {
        let endings = Recorder<JazzyEnding>()
        let server = JazzyServer()
        let upgrade: JazzyUpgradeHook = { [weak server] _ in
            if let server { endings.record(await server.stopAndWait(grace: .milliseconds(100))) }
            return .accept()
        }
        server.ws("/", upgrade: upgrade) { _, _, _ in Issue.record("nobody was let in") }
        try server.start(host: "127.0.0.1")
        let handshake = try TestHandshake(port: server.port, path: "/")
        #expect(handshake.socket.awaitEnd())
        #expect(try endings.values(count: 1) == [Self.ending(others: 1)])
    }

    @Test("A server that drains lets nobody in, serves who is there, and stops when the last one has left")
    func drain() throws {
        let server = try Self.server {
            $0.ws("/") { ws, event, message in if event == .message { ws.send(message.text) } }
        }
        let port = server.port
        let client = try TestClient(port: port, path: "/")
        server.drain()
        try eventually("the port is free") { (try? TestSocket(port: port)) == nil }
        try client.send("still there?")
        #expect(try client.receiveText() == "still there?")
        try client.sendClose(code: 1000)
        _ = try client.receive()
        server.wait()
        #expect(server.port == 0)
    }

    @Test("A server that drains stops at its deadline")
    func drainDeadline() throws {
        let server = try Self.server()
        let client = try TestClient(port: server.port, path: "/")
        server.drain(deadline: .after(.milliseconds(100)))
        #expect(try client.receiveClose() == 1001)
        server.wait()
    }
}

import JazzySwift
import Testing

@Suite("Who is there", .ownThreads)
struct PresenceTests {
    @Test("The connections of a topic are those that have subscribed to it, on every loop")
    func connections() throws {
        let opened = Recorder<JazzyWebSocket>()
        try withServer(options: TopicTests.twoLoops) {
            $0.ws("/") { ws, event, _ in
                guard event == .open else { return }
                // Every third connection takes no part.
                if opened.values.count % 3 < 2 { ws.subscribe("room") }
                opened.record(ws)
            }
        } body: { server in
            #expect(server.connections(in: "room") == [])
            let clients = try TopicTests.connect(12, to: server, opened)
            let members = opened.values.enumerated().filter { $0.offset % 3 < 2 }.map(\.element)
            let found = server.connections(in: "room")
            #expect(found.count == members.count && Set(found) == Set(members))
            #expect(server.subscriberCount("room") == members.count)
            #expect(server.connections(in: "") == [])
            for client in clients { client.reset() }
            try eventually("all have left") { server.connections(in: "room").isEmpty }
        }
    }

    @Test(
        "A handler sees who is there, itself included, also when it closes",
        arguments: [JazzyExecution.loop, .workers])
    func fromHandlers(execution: JazzyExecution) throws {
        let seen = Recorder<(count: Int, hasItself: Bool)>()
        try withServer(options: TopicTests.twoLoops) {
            $0.ws("/", options: JazzyRouteOptions(execution: execution)) { ws, event, _ in
                if event == .open { ws.subscribe("room") }
                let connections = ws.server.connections(in: "room")
                if case .close = event { seen.record((connections.count, connections.contains(ws))) }
                if event == .message { seen.record((connections.count, connections.contains(ws))) }
            }
        } body: { server in
            let clients = try (1...3).map { _ in try TestClient(port: server.port, path: "/") }
            try eventually("all are there") { server.subscriberCount("room") == 3 }
            try clients[1].send("who?")
            #expect(try seen.values(count: 1)[0] == (3, true))
            clients[1].reset()
            #expect(try seen.values(count: 2)[1] == (3, true))
            try eventually("it has left") { server.connections(in: "room").count == 2 }
            for client in clients { client.reset() }
        }
    }

    @Test("A handler that is a task sees who is there, and may close them all")
    func fromTasks() throws {
        let opened = Recorder<JazzyWebSocket>()
        let counts = Recorder<Int>()
        try withServer {
            $0.ws("/") { ws, messages in
                let handle = ws.webSocket
                handle.subscribe("room")
                opened.record(handle)
                for try await _ in messages {
                    counts.record(ws.server.connections(in: "room").count)
                    ws.server.close(topic: "room", code: 4001, reason: "enough")
                }
            }
        } body: { server in
            let clients = try TopicTests.connect(3, to: server, opened)
            try eventually("all are there") { server.subscriberCount("room") == 3 }
            try clients[0].send("close")
            for client in clients { #expect(try client.receiveClose() == 4001) }
            #expect(counts.values == [3])
        }
    }

    @Test("Closing a topic closes its subscribers on every loop, after what was published, and nobody else")
    func closeTopic() throws {
        let opened = Recorder<JazzyWebSocket>()
        let closes = Recorder<WsClose>()
        try withServer(options: TopicTests.twoLoops) {
            $0.ws("/") { ws, event, _ in
                if event == .open {
                    if opened.values.count != 5 { ws.subscribe("room") }
                    opened.record(ws)
                } else if case .close(let close) = event {
                    closes.record(close)
                }
            }
        } body: { server in
            let clients = try TopicTests.connect(6, to: server, opened)
            #expect(server.publish("room", "last words") == .sent)
            #expect(server.close(topic: "room", code: 4001, reason: "enough") == .sent)
            for client in clients.dropLast() {
                #expect(try client.receiveText() == "last words")
                #expect(try client.receive().payload == [0x0F, 0xA1] + Array("enough".utf8))
                try client.sendClose(code: 4001)
            }
            let expected = WsClose(code: 4001, wasClean: true, cause: .application)
            #expect(try closes.values(count: 5) == Array(repeating: expected, count: 5))
            // The last one is still there.
            opened.values[5].send("still here")
            #expect(try clients[5].receiveText() == "still here")
            #expect(server.close(topic: "room") == .sent)
        }
    }

    @Test("A code that may not be sent closes nobody")
    func closeTopicWithInvalidCode() throws {
        let opened = Recorder<JazzyWebSocket>()
        try withServer {
            $0.ws("/") { ws, event, _ in
                guard event == .open else { return }
                ws.subscribe("room")
                opened.record(ws)
            }
        } body: { server in
            let clients = try TopicTests.connect(1, to: server, opened)
            #expect(server.close(topic: "room", code: 999) == .dropped)
            #expect(server.publish("room", "still here") == .sent)
            #expect(try clients[0].receiveText() == "still here")
        }
    }

    @Test("Nobody is where no server listens")
    func notListening() {
        let server = JazzyServer()
        #expect(server.connections(in: "room") == [])
        #expect(server.close(topic: "room") == .closed)
        #expect(server.publish("room", "text", compression: .never) == .closed)
    }
}

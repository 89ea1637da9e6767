import JazzySwift
import Testing

@Suite("A connection's server", .ownThreads)
struct ServerHandleTests {
    @Test(
        "A handler publishes to all with its server, and sees what it does", arguments: [JazzyExecution.loop, .workers])
    func use(execution: JazzyExecution) throws {
        let seen = Recorder<String>()
        try withServer(options: TopicTests.twoLoops) {
            $0.ws("/", options: JazzyRouteOptions(execution: execution)) { ws, event, message in
                if event == .open { ws.subscribe("room") }
                guard event == .message else { return }
                let server = ws.server
                seen.record("\(server.port) \(server.subscriberCount("room")) \(server.statistics.webSockets)")
                seen.record("\(server.publish("room", message.bytes, kind: .text)) \(server.droppedCount)")
            }
        } body: { server in
            let clients = try (1...3).map { _ in try TestClient(port: server.port, path: "/") }
            try eventually("all are there") { server.subscriberCount("room") == 3 }
            try clients[0].send("to all")
            for client in clients { #expect(try client.receiveText() == "to all") }
            #expect(try seen.values(count: 2) == ["\(server.port) 3 3", "sent 0"])
        }
    }

    /// A server all of whose closures use their own server.
    private static func server(_ seen: Recorder<String>, _ execution: JazzyExecution) -> JazzyServer {
        var options = JazzyOptions()
        options.closeTimeout = .milliseconds(200)
        let server = JazzyServer(options: options)
        let routeOptions = JazzyRouteOptions(execution: execution)
        server.ws("/called", options: routeOptions, onDrain: { ws in ws.server.publish("room", "drained") }) {
            ws, event, message in
            if event == .open { ws.subscribe("room") }
            if event == .message { ws.server.publish("room", message.text) }
            if case .close = event { seen.record("closed, \(ws.server.subscriberCount("room")) there") }
        }
        server.ws(
            "/task",
            upgrade: { request in
                seen.record("asked, \(request.server?.subscriberCount("room") ?? -1) there")
                return .accept()
            }
        ) { ws, messages in
            for try await message in messages { ws.server.publish("room", message.text) }
            seen.record("task ended")
        }
        return server
    }

    @Test(
        "A server whose handlers use it is released with its last reference, and they have it to the end",
        arguments: [JazzyExecution.loop, .workers])
    func release(execution: JazzyExecution) throws {
        let seen = Recorder<String>()
        var server: JazzyServer? = Self.server(seen, execution)
        try server?.start(host: "127.0.0.1")
        let port = try #require(server?.port)
        let called = try TestClient(port: port, path: "/called")
        try eventually("it is there") { server?.subscriberCount("room") == 1 }
        let task = try TestClient(port: port, path: "/task")
        try called.send("one")
        #expect(try called.receiveText() == "one")
        try task.send("two")
        #expect(try called.receiveText() == "two")
        let ws = try #require(server?.connections(in: "room").first)
        weak let released = server
        server = nil
        #expect(released == nil)
        #expect(try seen.values(count: 3).sorted() == ["asked, 1 there", "closed, 1 there", "task ended"])
        // It has ended.
        #expect(ws.server.publish("room", "too late") == .closed)
        #expect(ws.server.publish("room", "too late", compression: .never) == .closed)
        #expect(ws.server.close(topic: "room") == .closed)
        #expect(ws.server.connections(in: "room") == [])
        #expect(ws.server.subscriberCount("room") == 0)
        #expect(ws.server.port == 0 && ws.server.droppedCount == 0)
        #expect(ws.server.statistics == JazzyStatistics())
        ws.server.stop()
        ws.server.drain()
        withExtendedLifetime((called, task)) {}
    }

    @Test("A hook refuses who would be too many, and requests are compared without their server")
    func hook() throws {
        let requests = Recorder<JazzyRequest>()
        try withServer {
            $0.ws(
                "/room",
                upgrade: { request in
                    requests.record(request)
                    return (request.server?.subscriberCount("room") ?? 0) < 1 ? .accept() : .reject(503)
                }
            ) { ws, event, _ in
                guard event == .open else { return }
                if let request = ws.request { requests.record(request) }
                ws.subscribe("room")
            }
        } body: { server in
            let first = try TestClient(port: server.port, path: "/room")
            try eventually("it is there") { server.subscriberCount("room") == 1 }
            #expect(throws: TestFailure.self) { try TestClient(port: server.port, path: "/room") }
            let seen = try requests.values(count: 3)
            #expect(seen[0] == seen[1] && seen[0].hashValue == seen[1].hashValue)
            #expect(seen.allSatisfy { $0.server?.port == server.port })
            #expect(JazzyRequest().server?.port == nil)
            withExtendedLifetime(first) {}
        }
    }

    @Test("A connection does not lead to a later run of its server, nor to any other")
    func laterRun() throws {
        let opened = Recorder<JazzyWebSocket>()
        let server = JazzyServer()
        server.ws("/") { ws, event, _ in
            guard event == .open else { return }
            ws.subscribe("room")
            opened.record(ws)
        }
        for run in 1...3 {
            try server.start(host: "127.0.0.1")
            let client = try TestClient(port: server.port, path: "/")
            let handles = try opened.values(count: run)
            #expect(handles.map { $0.server.subscriberCount("room") } == Array(repeating: 0, count: run - 1) + [1])
            #expect(handles.map { $0.server.port } == Array(repeating: 0, count: run - 1) + [server.port])
            server.stop()
            #expect(try client.receiveClose() == 1001)
            server.wait()
        }
        #expect(opened.values.allSatisfy { $0.server.connections(in: "room") == [] })
    }

    @Test("A handler may stop its server, or let it drain", arguments: [false, true])
    func stop(drains: Bool) throws {
        let server = JazzyServer()
        server.ws("/") { ws, event, message in
            guard event == .message else { return }
            if drains { ws.server.drain() } else { ws.server.stop() }
            ws.send("asked")
        }
        try server.start(host: "127.0.0.1")
        let client = try TestClient(port: server.port, path: "/")
        try client.send("end")
        #expect(try client.receiveText() == "asked")
        if drains { try client.sendClose(code: 1000) } else { #expect(try client.receiveClose() == 1001) }
        server.wait()
        #expect(server.port == 0)
    }

    @Test("Threads that use it while it ends get answers, and no harm is done")
    func race() throws {
        let opened = Recorder<JazzyWebSocket>()
        for _ in 1...5 {
            var options = TopicTests.twoLoops
            options.closeTimeout = .milliseconds(100)
            var server: JazzyServer? = JazzyServer(options: options)
            server?.ws("/") { ws, event, _ in
                guard event == .open else { return }
                ws.subscribe("room")
                opened.record(ws)
            }
            try server?.start(host: "127.0.0.1")
            let count = opened.values.count + 1
            let client = try TestClient(port: try #require(server?.port), path: "/")
            let ws = try opened.values(count: count)[count - 1]
            let threads = (1...2).map { _ in
                BackgroundThread {
                    while ws.server.port != 0 {
                        ws.server.publish("room", "x", compression: .always)
                        #expect(ws.server.connections(in: "room").count <= 1)
                    }
                }
            }
            weak let released = server
            server = nil
            #expect(released == nil)
            for thread in threads { try thread.wait() }
            withExtendedLifetime(client) {}
        }
    }
}

import JazzyPlatform
import JazzySwift
import Synchronization
import Testing

@Suite("Servers", .ownThreads)
struct JazzyServerTests {
    @Test("Two servers live side by side, each with its own routes and port")
    func sideBySide() throws {
        let servers = try ["first", "second"].map { name in
            let server = JazzyServer()
            server.ws("/who") { ws, event, _ in if event == .open { ws.send(name) } }
            try server.start(host: "127.0.0.1", port: 0)
            return server
        }
        let answers = try servers.map { try TestClient(port: $0.port, path: "/who").receiveText() }
        #expect(answers == ["first", "second"])
    }

    @Test("Servers that ask for a free port at the same time get one of their own")
    func freePorts() throws {
        let ports = Mutex<Set<Int>>([])
        let starters = (1...4).map { _ in
            BackgroundThread {
                var options = JazzyOptions()
                options.threads = 2
                for _ in 1...250 {
                    let server = JazzyServer(options: options)
                    try server.listen(host: "127.0.0.1", port: 0)
                    let port = server.port
                    #expect(ports.withLock { $0.insert(port).inserted }, "nobody else has it")
                    _ = ports.withLock { $0.remove(port) }
                }
            }
        }
        for starter in starters { try starter.wait(seconds: 60) }
    }

    @Test("The port is 0 but for while the server listens")
    func port() throws {
        let server = JazzyServer(options: .patient)
        #expect(server.port == 0)
        try server.listen(host: "127.0.0.1", port: 0)
        #expect(server.port > 0)
        let socket = try TestSocket(port: server.port)
        try inBackground {
            try server.run()
        } while: {
            server.stop()
        }
        #expect(server.port == 0)
        #expect(socket.awaitEnd())
    }

    @Test("Stopping closes every connection with 1001, and `wait` returns after the last event")
    func stop() throws {
        let events = Recorder<WsEvent>()
        let server = JazzyServer()
        server.ws("/") { _, event, _ in events.record(event) }
        try server.start(host: "127.0.0.1", port: 0)
        let client = try TestClient(port: server.port, path: "/")
        server.stop()
        #expect(try client.receiveClose() == 1001)
        server.wait()
        #expect(events.values == [.open, .close(WsClose(code: 1001, cause: .stopping))])
    }

    @Test("A server that has stopped starts again, with the routes it has then")
    func restart() throws {
        let server = JazzyServer()
        server.ws("/one") { ws, event, _ in if event == .open { ws.send("one") } }
        try server.start(host: "127.0.0.1", port: 0)
        server.stop()
        server.wait()
        server.ws("/two") { ws, event, _ in if event == .open { ws.send("two") } }
        try server.start(host: "127.0.0.1", port: 0)
        #expect(try TestClient(port: server.port, path: "/one").receiveText() == "one")
        #expect(try TestClient(port: server.port, path: "/two").receiveText() == "two")
    }

    @Test("A server that is no longer referenced is stopped")
    func release() throws {
        var server: JazzyServer? = JazzyServer(options: .patient)
        server?.ws("/") { _, _, _ in }
        try server?.start(host: "127.0.0.1", port: 0)
        let socket = try TestSocket(port: try #require(server?.port))
        server = nil
        #expect(socket.awaitEnd())
    }

    @Test("A handler may drop the last reference to its own server")
    func releaseInHandler() throws {
        let holder = Holder<JazzyServer>()
        let server = JazzyServer(options: .patient)
        server.ws("/") { _, event, _ in if event == .message { holder.value = nil } }
        try server.start(host: "127.0.0.1", port: 0)
        let port = server.port
        holder.value = consume server
        let client = try TestClient(port: port, path: "/")
        let another = try TestSocket(port: port)
        try client.send("drop it")
        #expect(try client.receiveClose() == 1001)
        #expect(another.awaitEnd())
    }

    @Test("A handler may stop its own server")
    func stopInHandler() throws {
        let server = JazzyServer()
        server.ws("/") { [weak server] _, event, _ in if event == .message { server?.stop() } }
        try server.start(host: "127.0.0.1")
        let client = try TestClient(port: server.port, path: "/")
        try client.send("stop")
        #expect(try client.receiveClose() == 1001)
        server.wait()
        #expect(server.port == 0)
    }

    @Test("A handler that waits for its own server ends the program, where it would hang for ever")
    func waitInHandler() async {
        await #expect(processExitsWith: .failure) {
            let server = JazzyServer()
            server.ws("/") { [weak server] _, _, _ in server?.wait() }
            try server.start(host: "127.0.0.1")
            let client = try TestClient(port: server.port, path: "/")
            _ = try? client.receive()
            // Not reached but by a server that hung: its client gave up, and the program ends well.
            exit(0)
        }
    }

    @Test("A route that comes too late is told to the log, and counts from the next start")
    func lateRoute() throws {
        let log = Recorder<String>()
        var options = JazzyOptions()
        options.log = { level, line in if level != .info { log.record("\(level): \(line)") } }
        let server = JazzyServer(options: options)
        try server.start(host: "127.0.0.1")
        server.get("/late", .text("at last"))
        #expect(log.values == ["warning: the route /late was added too late: it counts from the next start"])
        server.stop()
        server.wait()
        try server.start(host: "127.0.0.1")
        #expect(try TestPage(port: server.port, path: "/late").body == Array("at last".utf8))
    }

    @Test("The default application serves the routes of `Route` until it is stopped")
    func defaultApplication() throws {
        Route.ws("/echo") { ws, event, message in if event == .message { ws.send(message.bytes, kind: message.kind) } }
        Route.ws("/four", options: JazzyRouteOptions(maxMessageSize: 4)) { _, _, _ in }
        Route.ws("/state", state: { "subscriber" }) { ws, event, _ in
            guard event == .open else { return }
            ws.subscribe("topic")
            ws.send("\(Jazzy.subscriberCount("topic")) \(ws.state)")
        }
        Route.get("/", .text("a page"))
        try inBackground {
            try Jazzy.serve(host: "127.0.0.1", port: 0)
        } while: {
            try eventually("the server listens") { Jazzy.server.port > 0 }
            defer { Jazzy.server.stop() }
            let client = try TestClient(port: Jazzy.server.port, path: "/echo")
            try client.send("Hello")
            #expect(try client.receiveText() == "Hello")
            let clientOfRouteWithOptions = try TestClient(port: Jazzy.server.port, path: "/four")
            try clientOfRouteWithOptions.send("Hello")
            #expect(try clientOfRouteWithOptions.receiveClose() == 1009)
            let subscriber = try TestClient(port: Jazzy.server.port, path: "/state")
            #expect(try subscriber.receiveText() == "1 subscriber")
            let bytes: [UInt8] = [4, 5]
            #expect(Jazzy.publish("topic", "text") == .sent)
            #expect(Jazzy.publish("topic", [1, 2]) == .sent)
            #expect(Jazzy.publish("topic", bytes.span.bytes) == .sent)
            #expect(try Jazzy.publish("topic", json: ["a": 1]) == .sent)
            #expect(try subscriber.receiveText() == "text")
            #expect(try subscriber.receive() == .init(opcode: .binary, payload: [1, 2]))
            #expect(try subscriber.receive() == .init(opcode: .binary, payload: bytes))
            #expect(try subscriber.receiveText() == #"{"a":1}"#)
            #expect(try TestPage(port: Jazzy.server.port, path: "/").body == Array("a page".utf8))
        }
        #expect(Jazzy.server.port == 0)
    }
}

import CJazzyPoll.Transport
import JazzyPlatform
import JazzySwift
import Testing

@Suite("Transports", .ownThreads)
struct TransportTests {
    static func echoServer(_ options: JazzyOptions = JazzyOptions()) -> JazzyServer {
        let server = JazzyServer(options: options)
        server.ws("/") { ws, event, message in
            if event == .open { ws.send(ws.remoteAddress ?? "none") }
            if event == .message, message.kind == .text { ws.send(message.text) }
            if event == .message, message.kind == .binary {
                ws.send(String(repeating: "x", count: Int(message.bytes.byteCount) * 10_000))
            }
        }
        return server
    }

    static func client(_ socket: TestSocket) throws -> TestClient {
        try TestClient(try TestHandshake(try FlippingTransport.connected(socket), path: "/"))
    }

    /// Servers on addresses with a transport, and sockets that reach them.
    struct Place: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let make: @Sendable () throws -> (address: JazzyAddress, connect: @Sendable (Int) throws -> TestSocket)

        static let all = [
            Place(testDescription: "a port") {
                (.port(0, host: "127.0.0.1"), { port in try TestSocket(port: port) })
            },
            Place(testDescription: "a Unix domain socket") {
                let path = AddressTests.socketPath()
                return (.unix(path), { _ in try TestSocket(path: path) })
            },
            Place(testDescription: "a Unix domain socket with an owner") {
                let path = AddressTests.socketPath()
                return (.unix(path, mode: 0o600, owner: "0"), { _ in try TestSocket(path: path) })
            },
            Place(testDescription: "a descriptor") {
                let (descriptor, port) = try TestSocket.listen()
                return (.descriptor(descriptor), { _ in try TestSocket(port: port) })
            },
        ]
    }

    @Test("What is received and sent at an address travels through its transport", arguments: Place.all)
    func echo(place: Place) throws {
        let (flipping, (address, connect)) = (FlippingTransport(), try place.make())
        let server = Self.echoServer()
        try server.start(on: [.over(flipping.transport, address)])
        let clients = try (0..<4).map { _ in try Self.client(try connect(server.port)) }
        for (number, client) in clients.enumerated() {
            let address = try client.receiveText()
            #expect(address == "unix" || address == client.localAddress)
            try client.send("number \(number)")
            #expect(try client.receiveText() == "number \(number)")
            try client.send(.binary, [UInt8](repeating: 0, count: 100))
            #expect(try client.receiveText() == String(repeating: "x", count: 1_000_000))
        }
        #expect(flipping.events.values == Array(repeating: "open", count: 4))
        let ending = server.stop(grace: .milliseconds(100))
        #expect(ending?.cutOff == 4)
        #expect(flipping.events.values.count { $0 == "close" } == 4, "each of them, when its connection has ended")
    }

    @Test("Each address of a server has its own transport, or none")
    func several() throws {
        let (one, other, path, otherPath) = (
            FlippingTransport(), FlippingTransport(), AddressTests.socketPath(), AddressTests.socketPath()
        )
        let server = Self.echoServer()
        try server.start(on: [
            .port(0, host: "127.0.0.1"), .over(one.transport, .unix(path)), .over(other.transport, .unix(otherPath)),
        ])
        let plain = try TestClient(port: server.port, path: "/")
        #expect(try plain.receiveText() == plain.localAddress)
        #expect((one.events.values, other.events.values) == ([], []))
        #expect(try Self.client(try TestSocket(path: path)).receiveText() == "unix")
        #expect((one.events.values.first, other.events.values.count) == ("open", 0))
        #expect(try Self.client(try TestSocket(path: otherPath)).receiveText() == "unix")
        #expect(other.events.values.first == "open")
        server.stop(grace: .milliseconds(100))
    }

    @Test("Why a connection is lost, as its transport tells it, is told to the log")
    func lost() throws {
        let (flipping, log) = (FlippingTransport(), LogLines())
        let server = Self.echoServer(log.options())
        try server.start(on: [.over(flipping.transport, .port(0, host: "127.0.0.1"))])
        let stranger = try TestSocket(port: server.port)
        try stranger.send([UInt8(ascii: "G")])
        #expect(stranger.awaitEnd())
        try eventually("the channel is closed") { flipping.events.values == ["open", "close"] }
        server.stop(grace: .milliseconds(100))
        #expect(log.all.count { $0.text.contains("nobody has greeted") } == 1, "\(log.all)")
    }

    @Test("Its owner lives for as long as a server may call it, and no longer")
    func owner() throws {
        let ends = Recorder<String>()
        var server: JazzyServer? = Self.echoServer()
        try server?.start(on: [
            .over(FlippingTransport { ends.record("end") }.transport, .port(0, host: "127.0.0.1"))
        ])
        let client = try Self.client(try TestSocket(port: server?.port ?? 0))
        #expect(try client.receiveText() == client.localAddress)
        #expect(ends.values == [])
        server?.stop(grace: .milliseconds(100))
        server = nil
        #expect(ends.values == ["end"])
    }

    @Test("Its owner is let go where listening fails")
    func ownerOfFailure() throws {
        let ends = Recorder<String>()
        let error = #expect(throws: JazzyError.self) {
            try Self.echoServer().listen(on: [
                .over(FlippingTransport { ends.record("end") }.transport, .port(0, host: "127.0.0.1")), .port(-1),
            ])
        }
        #expect(error?.code == .invalidAddress)
        #expect(ends.values == ["end"])
    }

    @Test("A request says whether its transport is secure, and what that knows, in hooks, open events and tasks")
    func secure() async throws {
        let (flipping, seen) = (FlippingTransport(), Recorder<String>())
        @Sendable func note(_ request: JazzyRequest?) {
            guard let request else { return seen.record("none") }
            let properties = request.transportProperties.map { "\($0)=\($1.joined(separator: ","))" }.sorted()
            seen.record("\(request.isSecure) \(properties.joined(separator: " "))")
        }
        let server = JazzyServer()
        let upgrade: JazzyUpgradeHook = { request in
            note(request)
            return .accept()
        }
        let handler: JazzyHandler = { ws, event, _ in
            guard event == .open else { return }
            note(ws.request)
            ws.send("open")
        }
        server.ws("/called", upgrade: upgrade, handler)
        server.ws("/worker", options: JazzyRouteOptions(execution: .workers), handler)
        server.ws("/task") { ws, messages in
            await Task.yield()
            note(ws.request)
            ws.send("open")
        }
        let path = AddressTests.socketPath()
        try server.start(on: [.over(flipping.secureTransport, .port(0, host: "127.0.0.1")), .unix(path)])
        for route in ["/called", "/task", "/worker"] {
            let socket = try FlippingTransport.connected(try TestSocket(port: server.port))
            let client = try TestClient(try TestHandshake(socket, path: route))
            #expect(try client.receiveText() == "open")
        }
        #expect(seen.values == Array(repeating: "true flip.name=a,b flip.version=1", count: 4))
        let plain = try TestClient(try TestHandshake(try TestSocket(path: path), path: "/task"))
        #expect(try plain.receiveText() == "open")
        #expect(seen.values.last == "false ")
        await server.stopAndWait(grace: .zero)
    }

    @Test("A transport may be made when a server begins to listen, each time, with its options")
    func deferred() throws {
        let (flipping, made) = (FlippingTransport(), Recorder<Int>())
        let deferred = JazzyTransport(id: "flipping") { options in
            made.record(options.backlog)
            return flipping.transport
        }
        var options = JazzyOptions()
        options.backlog = 77
        let server = Self.echoServer(options)
        #expect(made.values == [])
        for times in 1...2 {
            try server.start(on: [.over(deferred, .port(0, host: "127.0.0.1"))])
            #expect(made.values == Array(repeating: 77, count: times))
            let client = try Self.client(try TestSocket(port: server.port))
            #expect(try client.receiveText() == client.localAddress)
            server.stop(grace: .milliseconds(100))
        }
    }

    @Test("What is thrown where a transport is made is thrown by whoever listens, and nothing was opened")
    func failsToBeMade() throws {
        let path = AddressTests.socketPath()
        let server = Self.echoServer()
        let failing = JazzyTransport(id: 1) { _ throws(JazzyError) in throw JazzyError(.invalidOption, "no key") }
        for address in [JazzyAddress.over(failing, .port(0)), .over(JazzyTransport(id: 2) { _ in failing }, .port(0))] {
            let error = #expect(throws: JazzyError.self) { try server.start(on: [.unix(path), address]) }
            #expect(error?.message.hasPrefix("no key") == true || error?.message.contains("made once more") == true)
            #expect(access(path, F_OK) != 0)
        }
        try server.start(on: [.unix(path)])
        server.stop(grace: .zero)
    }

    @Test("Transports that are made later equal those with the same id, of the same type")
    func deferredEquality() {
        func deferred(_ id: some Hashable & Sendable) -> JazzyTransport {
            JazzyTransport(id: id) { _ in FlippingTransport().transport }
        }
        #expect(deferred(1) == deferred(1))
        #expect(deferred(1) != deferred(1.0))
        #expect(Set([deferred(1), deferred(1), deferred("1"), deferred(2), FlippingTransport().transport]).count == 4)
        #expect(JazzyAddress.over(deferred(1), .port(1)) == .over(deferred(1), .port(1)))
        #expect(JazzyAddress.over(deferred(1), .port(1)) != .over(deferred(2), .port(1)))
        #expect(JazzyAddress.over(deferred(1), .port(1)) != .port(1))
    }

    @Test("A transport equals its copies, and no other")
    func equality() {
        let flipping = FlippingTransport()
        let (one, other) = (flipping.transport, flipping.transport)
        let copy = one
        #expect(one == copy)
        #expect(one != other)
        let addresses: Set<JazzyAddress> = [
            .over(one, .port(1)), .over(copy, .port(1)), .over(other, .port(1)), .port(1),
        ]
        #expect(addresses.count == 3)
    }

    @Test(
        "An error names what is wrong with a transport, or with the address below it",
        arguments: [
            (.over(FlippingTransport().transport, .port(-1)), .invalidAddress, "-1"),
            (.over(FlippingTransport().transport, .unix("a\0b")), .invalidAddress, "NUL"),
            (.over(FlippingTransport().transport, .activated), .invalidState, "LISTEN_FDS"),
            (.over(FlippingTransport().transport, .descriptor(-1)), .invalidAddress, "-1"),
            (
                .over(FlippingTransport().transport, .over(FlippingTransport().transport, .port(0))), .invalidAddress,
                "two transports"
            ), (.over(JazzyTransport(jz_transport()), .port(0)), .invalidOption, "`open`"),
        ] as [(JazzyAddress, JazzyError.Code, String)])
    func wrong(address: JazzyAddress, code: JazzyError.Code, naming: String) {
        let error = #expect(throws: JazzyError.self) { try Self.echoServer().listen(on: [address]) }
        #expect(error?.code == code)
        #expect(error?.message.contains(naming) == true, "\(String(describing: error))")
    }
}

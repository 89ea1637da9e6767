import CJazzyPoll.Transport
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

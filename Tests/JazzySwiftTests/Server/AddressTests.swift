import Foundation
import JazzyPlatform
import JazzySwift
import Testing

@Suite("Addresses", .ownThreads)
struct AddressTests {
    /// A unique path for a socket.
    static func socketPath() -> String {
        FileManager.default.temporaryDirectory.appending(component: UUID().uuidString).path
    }

    static func echoServer() -> JazzyServer {
        let server = JazzyServer()
        server.ws("/") { ws, event, _ in if event == .open { ws.send(ws.remoteAddress ?? "none") } }
        return server
    }

    @Test("A server listens on several addresses at once, Unix domain sockets among them")
    func several() throws {
        let (server, path) = (Self.echoServer(), Self.socketPath())
        try server.start(on: [.unix(path), .port(0, host: "127.0.0.1"), .port(0, host: "127.0.0.1")])
        let byPort = try TestClient(port: server.port, path: "/")
        #expect(try byPort.receiveText() == byPort.localAddress)
        let byPath = try TestClient(try TestHandshake(try TestSocket(path: path), path: "/"))
        #expect(try byPath.receiveText() == "unix")
        server.stop(grace: .milliseconds(100))
        #expect(throws: TestFailure.self, "the socket is removed") { try TestSocket(path: path) }
        #expect(access(path, F_OK) != 0)
    }

    @Test("A Unix domain socket has the mode and the owner that are asked for")
    func rights() throws {
        let (server, path) = (Self.echoServer(), Self.socketPath())
        let owner = "\(geteuid()):\(getegid())"
        try server.start(on: [.unix(path, mode: 0o620, owner: owner)])
        var status = stat()
        #expect(lstat(path, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o620)
        #expect((status.st_uid, status.st_gid) == (geteuid(), getegid()))
        server.stop(grace: .milliseconds(100))
        try server.start(on: [.unix(path, mode: 0o600)])
        #expect(lstat(path, &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o600)
        server.stop(grace: .milliseconds(100))
    }

    @Test("Where a server listens is told to the log when it begins to run")
    func toldToTheLog() throws {
        let (log, path) = (Recorder<String>(), Self.socketPath())
        var options = JazzyOptions()
        options.log = { level, line in log.record("\(level): \(line)") }
        let server = JazzyServer(options: options)
        server.get("/", .text("page"))
        try server.start(on: [.port(0, host: "127.0.0.1"), .unix(path)])
        let port = server.port
        server.stop(grace: .milliseconds(100))
        #expect(log.values == ["info: listens on 127.0.0.1:\(port), \(path)"])
    }

    @Test("A server without a TCP port has port 0")
    func portOfUnix() throws {
        let server = Self.echoServer()
        try server.listen(on: [.unix(Self.socketPath())])
        #expect(server.port == 0)
    }

    @Test("A socket that listens already is taken over, and closed at the end")
    func descriptor() throws {
        let (descriptor, port) = try TestSocket.listen()
        let server = Self.echoServer()
        try server.start(on: [.descriptor(descriptor)])
        #expect(server.port == port)
        let client = try TestClient(port: port, path: "/")
        #expect(try client.receiveText() == client.localAddress)
        server.stop(grace: .milliseconds(100))
        #expect(throws: TestFailure.self) { try TestSocket(port: port) }
    }

    @Test("Where listening fails, a socket stays whose it was, and the server may listen elsewhere")
    func failure() throws {
        let (descriptor, port) = try TestSocket.listen()
        let server = Self.echoServer()
        let error = #expect(throws: JazzyError.self) {
            try server.start(on: [.descriptor(descriptor), .port(port, host: "127.0.0.1")])
        }
        #expect(error?.code == .addressInUse)
        #expect(server.port == 0)
        try server.start(on: [.descriptor(descriptor)])
        #expect(try TestClient(port: port, path: "/").receiveText().hasPrefix("127.0.0.1:"))
    }

    @Test(
        "An error names what is wrong with an address",
        arguments: [
            ([], .invalidAddress, "no address"), ([.unix(String(repeating: "x", count: 108))], .invalidAddress, "107"),
            ([.unix("a\0b")], .invalidAddress, "NUL"), ([.unix("a", mode: 0o1000)], .invalidAddress, "0o1000"),
            ([.unix("a", mode: 0)], .invalidAddress, "0o1 to 0o777"),
            ([.unix("a", owner: "")], .invalidAddress, "owner"),
            ([.unix("a", owner: "a\0")], .invalidAddress, "NUL"), ([.descriptor(-1)], .invalidAddress, "-1"),
            ([.activated], .invalidState, "LISTEN_FDS"), ([.port(-1)], .invalidAddress, "-1"),
        ] as [([JazzyAddress], JazzyError.Code, String)])
    func wrong(addresses: [JazzyAddress], code: JazzyError.Code, naming: String) {
        let error = #expect(throws: JazzyError.self) { try Self.echoServer().listen(on: addresses) }
        #expect(error?.code == code)
        #expect(error?.message.contains(naming) == true, "\(String(describing: error))")
    }

    @Test("An address is described as it is written in a program")
    func descriptions() {
        let transport = JazzyTransport(id: "a secret") { _ throws(JazzyError) in throw JazzyError(.system, "none") }
        let rows: [(JazzyAddress, String)] = [
            (.port(8_080), ".port(8080)"), (.port(0, host: "::1"), #".port(0, host: "::1")"#),
            (.unix("/run/chat.sock"), #".unix("/run/chat.sock")"#),
            (.unix("a\n\"b", mode: 0o660, owner: "www:www"), #".unix("a\n\"b", mode: 0o660, owner: "www:www")"#),
            (.descriptor(3), ".descriptor(3)"), (.activated, ".activated"),
            (.over(transport, .port(1)), ".over(JazzyTransport, .port(1))"),
            (
                .over(transport, .over(transport, .activated)),
                ".over(JazzyTransport, .over(JazzyTransport, .activated))"
            ),
        ]
        for (address, description) in rows {
            #expect("\(address)" == description)
            #expect(String(reflecting: address) == description)
            var dumped = ""
            dump(address, to: &dumped)
            #expect(dumped == "- \(description)\n")
        }
    }
}

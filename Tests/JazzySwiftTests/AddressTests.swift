import Foundation
import Glibc
import JazzySwift
import Testing

@Suite("Addresses", .ownThreads)
struct AddressTests {
    /// A path for a socket, which nobody else has.
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
            ([.unix("a\0b")], .invalidAddress, "NUL"), ([.descriptor(-1)], .invalidAddress, "-1"),
            ([.activated], .invalidState, "LISTEN_FDS"), ([.port(-1)], .invalidAddress, "-1"),
        ] as [([JazzyAddress], JazzyError.Code, String)])
    func wrong(addresses: [JazzyAddress], code: JazzyError.Code, naming: String) {
        let error = #expect(throws: JazzyError.self) { try Self.echoServer().listen(on: addresses) }
        #expect(error?.code == code)
        #expect(error?.message.contains(naming) == true, "\(String(describing: error))")
    }
}

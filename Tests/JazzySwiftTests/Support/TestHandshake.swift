import JazzySwift
import JazzyTesting

/// A request for a WebSocket, and any response to it.
final class TestHandshake {
    let socket: TestSocket

    /// Connects to a port of this machine, and asks.
    convenience init(port: Int, path: String, headers: JazzyHeaders = [:]) throws {
        try self.init(try TestSocket(port: port), path: path, headers: headers)
    }

    /// Asks on a socket that is connected.
    init(_ socket: TestSocket, path: String, headers: JazzyHeaders = [:]) throws {
        self.socket = socket
        try socket.send(handshakeRequest(path: path, headers: headers))
    }

    func receiveHead() throws -> String { try socket.receiveHead() }

    /// Receives an answer that is no upgrade.
    func receiveRefusal() throws -> (status: Int, head: String, body: String) {
        let head = try receiveHead()
        let status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        let length = headerValue("content-length", of: head).flatMap { Int($0) } ?? 0
        return (status, head, String(decoding: try socket.receive(length), as: UTF8.self))
    }

    func receiveStatus() throws -> Int { try receiveRefusal().status }
}

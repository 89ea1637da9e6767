import JazzySwift

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
        let request = """
            GET \(path) HTTP/1.1\r
            Host: localhost\r
            Upgrade: websocket\r
            Connection: Upgrade\r
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
            Sec-WebSocket-Version: 13\r
            \(headers.map { "\($0.name): \($0.value)\r\n" }.joined())\r\n
            """
        try socket.send(Array(request.utf8))
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

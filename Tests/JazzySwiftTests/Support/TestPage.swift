/// A server's response to a GET.
struct TestPage {
    let head: String
    let body: [UInt8]

    /// - Parameter headers: Whole lines.
    init(port: Int, path: String, host: String = "localhost", headers: String = "") throws {
        let socket = try TestSocket(port: port)
        try socket.send(Array("GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\(headers)\r\n".utf8))
        head = try socket.receiveHead()
        guard let length = headerValue("content-length", of: head).flatMap({ Int($0) }) else {
            throw TestFailure("no length: \(head)")
        }
        body = try socket.receive(length)
    }

    var contentType: String? { headerValue("content-type", of: head) }
}

/// The value of the first header of that name, which is written in lower case here.
func headerValue(_ name: String, of head: String) -> String? {
    let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("\(name): ") }
    return line.map { String($0.dropFirst(name.count + 2)) }
}

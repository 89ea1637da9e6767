import JazzySwift

/// A server's response to the request for a WebSocket, also if it is refused.
public struct JazzyTestResponse: Hashable, Sendable {
    /// The status: 101 if the client was let in.
    public let status: Int

    /// All headers, in order.
    public let headers: JazzyHeaders

    /// The body; empty if the client was let in.
    public let body: [UInt8]

    /// The body as a text; bytes that are not UTF-8 are replaced with U+FFFD.
    public var text: String { String(decoding: body, as: UTF8.self) }

    /// Whether the client was let in.
    public var isAccepted: Bool { status == 101 }

    /// The value of the first header of that name, ignoring case; `nil` if there is none.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// The subprotocol that was chosen; `nil` if there is none.
    public var subprotocol: String? { header("Sec-WebSocket-Protocol") }
}

/// Finds the response at the beginning of what a server sends.
struct ResponseReader: Sendable {
    private var bytes: [UInt8] = []
    private var searched = 0

    /// How many bytes there are of a response that is not whole yet.
    var unread: Int { bytes.count }

    mutating func append(_ more: some Sequence<UInt8>) {
        bytes += more
    }

    /// Takes the response, if all of it is there, and what came behind it. `hasEnded`: nothing comes any more.
    mutating func take(hasEnded: Bool) throws -> (response: JazzyTestResponse, rest: [UInt8])? {
        guard let end = endOfHead() else { return nil }
        let lines = String(decoding: bytes[..<(end - 4)], as: UTF8.self).split(separator: "\r\n")
        let words = lines.first.map { $0.split(separator: " ", maxSplits: 2) } ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw JazzyTestError(.malformed, "the server's response does not begin as HTTP does: \(lines.first ?? "")")
        }
        let headers = JazzyHeaders(lines.dropFirst().map { JazzyHeader(line: $0) })
        var response = JazzyTestResponse(status: status, headers: headers, body: [])
        if status != 101 {
            // One in chunks is not read: its end could not be found.
            let isInChunks = response.header("Transfer-Encoding") != nil
            let length = isInChunks ? 0 : response.header("Content-Length").flatMap { UInt32($0) }.map(Int.init)
            guard hasEnded || bytes.count - end >= length ?? .max else { return nil }
            response = JazzyTestResponse(
                status: status, headers: headers, body: Array(bytes[end...].prefix(length ?? .max)))
        }
        return (response, Array(bytes[(end + response.body.count)...]))
    }

    /// Where the bytes behind the empty line begin.
    private mutating func endOfHead() -> Int? {
        let end = Array("\r\n\r\n".utf8)
        while searched + end.count <= bytes.count {
            if bytes[searched..<(searched + end.count)].elementsEqual(end) { return searched + end.count }
            searched += 1
        }
        return nil
    }
}

extension JazzyHeader {
    fileprivate init(line: Substring) {
        let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
        self.init(String(parts[0]), String(value))
    }
}

/// The bytes of a request for a WebSocket. What `headers` say replaces what would be said by default.
package func handshakeRequest(path: String, headers: JazzyHeaders) -> [UInt8] {
    let byDefault: KeyValuePairs = [
        "Host": "localhost", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ]
    let given = Set(headers.map { $0.name.lowercased() })
    let others = byDefault.filter { !given.contains($0.key.lowercased()) }.map { JazzyHeader($0.key, $0.value) }
    let lines = (others + headers).map { "\($0.name): \($0.value)\r\n" }
    return Array("GET \(path) HTTP/1.1\r\n\(lines.joined())\r\n".utf8)
}

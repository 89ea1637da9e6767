import JazzySwift
import Synchronization
import Testing

/// Handlers that answer what they should not, late or never, and clients that do not wait for it.
@Suite("Pages of hostile handlers and clients", .ownThreads)
struct HostilePageTests {
    static let executions = [JazzyExecution.loop, .workers]

    static func request(_ path: String, method: String = "GET", headers: String = "") -> [UInt8] {
        Array("\(method) \(path) HTTP/1.1\r\nHost: a\r\n\(headers)\r\n".utf8)
    }

    static let hostileHeaders: [JazzyHeaders] = [
        ["X": "a\r\n\r\nHTTP/1.1 200 OK"], ["X": "a\nSet-Cookie: b"], ["X": "a\rb"], ["X": "a\0b"], ["X\r\nY": "a"],
        ["": "a"], ["X Y": "a"], ["X:": "a"], ["X\u{fc}": "a"], ["X": "\u{7f}"], ["X": "\u{1}"],
        ["CONTENT-length": "0"], ["content-Type": "a/b"], ["transfer-encoding": "chunked"], ["connection": "close"],
        ["upgrade": "h2c"], ["date": "now"], ["sec-WebSocket-Accept": "a"],
    ]

    @Test("No header of a response becomes anything else", arguments: hostileHeaders, executions)
    func headers(headers: JazzyHeaders, execution: JazzyExecution) throws {
        let log = LogLines()
        try withServer(options: log.options(.info)) {
            $0.get("/page", options: JazzyPageOptions(execution: execution)) { _ in .text("a", headers: headers) }
            $0.get("/next") { _ in .text("next") }
        } body: { server in
            let socket = try TestSocket(port: server.port)
            try socket.send(Self.request("/page") + Self.request("/next"))
            #expect(try socket.receiveHead().hasPrefix("HTTP/1.1 500 "))
            #expect(try socket.receive(21) == Array("Internal Server Error".utf8))
            #expect(try socket.receiveHead().hasPrefix("HTTP/1.1 200 "))
            #expect(try socket.receive(4) == Array("next".utf8))
        }
    }

    @Test("Headers are as many and as long as the handler gives, and of any text")
    func manyHeaders() throws {
        let long = String(repeating: "y", count: 20_000)
        let headers = JazzyHeaders((0..<500).map { JazzyHeader("X-\($0)", "grüße \t\($0)") } + [JazzyHeader("Z", long)])
        try withServer {
            $0.get("/page") { _ in .text("a", headers: headers) }
        } body: { server in
            let page = try TestPage(port: server.port, path: "/page")
            #expect(page.head.hasPrefix("HTTP/1.1 200 "))
            #expect(headerValue("x-499", of: page.head) == "grüße \t499")
            #expect(headerValue("z", of: page.head) == long)
            #expect(page.body == [97])
        }
    }

    @Test("HEAD, 204 and 304 have no content, and the next response is where it should be", arguments: executions)
    func withoutContent(execution: JazzyExecution) throws {
        try withServer {
            $0.get("/:status", options: JazzyPageOptions(execution: execution)) { request in
                let status = request.parameters["status"].flatMap(Int.init) ?? 200
                if request.header("If-None-Match") == "\"1\"" { return JazzyResponse(status: 304) }
                return .text("content", status: status, headers: ["ETag": "\"1\""])
            }
        } body: { server in
            let socket = try TestSocket(port: server.port)
            for (method, path, headers, status, length, body) in [
                ("HEAD", "/200", "", "200", "7", ""), ("GET", "/204", "", "204", nil, ""),
                ("HEAD", "/204", "", "204", nil, ""), ("GET", "/304", "", "304", nil, ""),
                ("GET", "/200", "If-None-Match: \"1\"\r\n", "304", nil, ""),
                ("HEAD", "/404", "", "404", "7", ""), ("GET", "/404", "", "404", "7", "content"),
            ] as [(String, String, String, String, String?, String)] {
                try socket.send(Self.request(path, method: method, headers: headers))
                let head = try socket.receiveHead()
                #expect(head.hasPrefix("HTTP/1.1 \(status) "), "\(method) \(path)")
                if let length { #expect(headerValue("content-length", of: head) == length) }
                #expect(try body.isEmpty || socket.receive(body.utf8.count) == Array(body.utf8))
            }
        }
    }

    @Test("Very large content comes whole, to who takes it slowly, too", arguments: executions)
    func largeContent(execution: JazzyExecution) throws {
        let content = [UInt8]((0..<2 * 1_048_576).lazy.map { UInt8(truncatingIfNeeded: $0 / 251) })
        try withServer(options: .patient) {
            $0.get("/large", options: JazzyPageOptions(execution: execution)) { _ in
                .bytes(content, contentType: "application/octet-stream")
            }
            $0.get("/next") { _ in .text("next") }
        } body: { server in
            let slow = try TestSocket(port: server.port)
            try slow.send(Self.request("/large") + Self.request("/next"))
            _ = try slow.receiveHead()
            for _ in 1...3 { #expect(try TestPage(port: server.port, path: "/large").body == content) }
            #expect(try slow.receive(content.count) == content)
            #expect(try slow.receiveHead().hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test("A late answer is no answer to the next request", arguments: executions)
    func lateAnswer(execution: JazzyExecution) throws {
        let gates = Mutex<[CheckedContinuation<Void, Never>]>([])
        let late = Atomic(0)
        let options = JazzyPageOptions(execution: execution, timeout: .milliseconds(100))
        try withServer {
            $0.get("/late", options: options) { _ in
                await withCheckedContinuation { gate in gates.withLock { $0.append(gate) } }
                late.add(1, ordering: .sequentiallyConsistent)
                return .text("late")
            }
            $0.get("/next") { _ in .text("next") }
        } body: { server in
            #expect(try TestPage(port: server.port, path: "/late").head.hasPrefix("HTTP/1.1 503 "))
            // Of the slot that the first connection had.
            let socket = try TestSocket(port: server.port)
            try socket.send(Self.request("/late"))
            try eventually("both are called") { gates.withLock { $0.count } == 2 }
            gates.withLock { $0[0].resume() }
            #expect(try socket.receiveHead().hasPrefix("HTTP/1.1 503 "))
            gates.withLock { $0[1].resume() }
            try eventually("both have answered") { late.load(ordering: .sequentiallyConsistent) == 2 }
            #expect(try TestPage(port: server.port, path: "/next").body == Array("next".utf8))
        }
    }

    @Test("What is asked for at once is answered in order, wherever and whenever it is made")
    func order() throws {
        let slow: @Sendable (JazzyRequest) async throws -> JazzyResponse = { request in
            let number = request.parameters["number"].flatMap(Int.init) ?? 0
            if number % 3 == 0 { try await Task.sleep(for: .microseconds(number * 37 % 1_000)) }
            if number % 7 == 0 { throw CancellationError() }
            return .text("\(number)")
        }
        let log = LogLines()
        try withServer(options: log.options(.info)) {
            $0.get("/loop/:number", slow)
            $0.get("/workers/:number", options: JazzyPageOptions(execution: .workers), slow)
        } body: { server in
            let sockets = try (1...10).map { _ in try TestSocket(port: server.port) }
            for socket in sockets {
                try socket.send(
                    (1...100).flatMap { Self.request("/\($0 % 2 == 0 ? "loop" : "workers")/\($0)") })
            }
            for socket in sockets {
                for number in 1...100 {
                    let head = try socket.receiveHead()
                    let expected = number % 7 == 0 ? "Internal Server Error" : "\(number)"
                    #expect(head.hasPrefix("HTTP/1.1 \(number % 7 == 0 ? 500 : 200) "))
                    #expect(try socket.receive(expected.utf8.count) == Array(expected.utf8))
                }
            }
        }
    }

    @Test("Each handler whose client has gone is cancelled, whenever that was", arguments: executions)
    func vanishing(execution: JazzyExecution) throws {
        let begun = Atomic(0)
        let ended = Atomic(0)
        let options = JazzyPageOptions(execution: execution, timeout: .seconds(3_600))
        try withServer {
            $0.get("/slow", options: options) { _ in
                begun.add(1, ordering: .sequentiallyConsistent)
                defer { ended.add(1, ordering: .sequentiallyConsistent) }
                try await Task.sleep(for: .seconds(3_600))
                return .text("slow")
            }
        } body: { server in
            for _ in 1...2_000 {
                let socket = try TestSocket(port: server.port)
                try socket.send(Self.request("/slow"))
                socket.reset()
            }
            try eventually("all connections are gone", within: .seconds(60)) { server.statistics.connections == 0 }
            try eventually("all of them have ended") {
                ended.load(ordering: .sequentiallyConsistent) == begun.load(ordering: .sequentiallyConsistent)
            }
        }
    }
}

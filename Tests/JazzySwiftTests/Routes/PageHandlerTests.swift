import JazzySwift
import Synchronization
import Testing

@Suite("Pages that are made for each request", .ownThreads)
struct PageHandlerTests {
    struct Room: Codable, Sendable { var name: String; var people: Int }

    struct Answer: Sendable, CustomTestStringConvertible {
        let name: String
        let response: JazzyResponse
        let status: String
        var contentType: String?
        var body = ""
        var header: String?
        var testDescription: String { name }
    }

    @Test(
        "The client gets what the handler returns",
        arguments: [
            Answer(
                name: "text", response: .text("Grüße"), status: "200 OK", contentType: "text/plain; charset=utf-8",
                body: "Grüße"),
            Answer(
                name: "HTML, a status and headers",
                response: .html("<p>", status: 404, headers: ["X-One": "1"]), status: "404 Not Found",
                contentType: "text/html; charset=utf-8", body: "<p>", header: "x-one"),
            Answer(
                name: "JSON", response: (try? .json(Room(name: "a/b", people: 2))) ?? JazzyResponse(status: 500),
                status: "200 OK", contentType: "application/json", body: #"{"name":"a/b","people":2}"#),
            Answer(
                name: "bytes", response: .bytes([97, 98], contentType: "image/x-two", status: 201),
                status: "201 Created", contentType: "image/x-two", body: "ab"),
            Answer(
                name: "a status alone", response: JazzyResponse(status: 503), status: "503 Service Unavailable",
                contentType: "text/plain; charset=utf-8", body: "Service Unavailable"),
            Answer(
                name: "a redirect", response: JazzyResponse(status: 303, headers: ["Location": "/there"]),
                status: "303 See Other", contentType: "text/plain; charset=utf-8", body: "See Other",
                header: "location"),
        ], [JazzyExecution.loop, .workers])
    func answers(answer: Answer, execution: JazzyExecution) throws {
        try withServer {
            $0.get("/page", options: JazzyPageOptions(execution: execution)) { _ in answer.response }
            $0.get("/later", options: JazzyPageOptions(execution: execution)) { _ in
                try await Task.sleep(for: .milliseconds(1))
                return answer.response
            }
        } body: { server in
            for path in ["/page", "/later"] {
                let page = try TestPage(port: server.port, path: path)
                #expect(page.head.hasPrefix("HTTP/1.1 \(answer.status)\r\n"))
                #expect(page.contentType == answer.contentType)
                #expect(page.body == Array(answer.body.utf8))
                if let header = answer.header { #expect(headerValue(header, of: page.head) != nil) }
            }
        }
    }

    @Test("A handler sees the request, and its server")
    func request() throws {
        let requests = Recorder<JazzyRequest>()
        try withServer {
            $0.get("/rooms/:id") { request in
                requests.record(request)
                return .text("\(request.server?.port ?? 0)")
            }
        } body: { server in
            let page = try TestPage(port: server.port, path: "/rooms/a%2Fb?color=red")
            #expect(page.body == Array("\(server.port)".utf8))
            let request = try requests.values(count: 1)[0]
            #expect(request.path == "/rooms/a%2Fb")
            #expect(request.route == "/rooms/:id")
            #expect(request.parameters == ["id": "a/b"])
            #expect(request.queryValue("color") == "red")
            #expect(request.header("host") == "localhost")
            #expect(request.remoteAddress.hasPrefix("127.0.0.1:"))
            #expect(!request.isSecure)
        }
    }

    struct Confidential: Error, CustomStringConvertible { var description: String { "a secret" } }

    @Test("What a handler throws is logged by its type, and the client gets a 500")
    func throwing() throws {
        let log = LogLines()
        try withServer(options: log.options(.info)) {
            $0.get("/at-once") { _ in throw Confidential() }
            $0.get("/later") { _ in
                try await Task.sleep(for: .milliseconds(1))
                throw Confidential()
            }
        } body: { server in
            for path in ["/at-once", "/later"] {
                let page = try TestPage(port: server.port, path: path)
                #expect(page.head.hasPrefix("HTTP/1.1 500 "))
                #expect(page.body == Array("Internal Server Error".utf8))
                try eventually("a line about \(path)") {
                    log.texts(of: .error).contains { $0.hasSuffix("the page of \(path) threw Confidential") }
                }
            }
            #expect(!log.texts(of: .error).contains { $0.contains("secret") })
        }
    }

    @Test(
        "A response that may not be sent is logged without its confidential parts",
        arguments: [
            JazzyResponse(.text("secret"), status: 99), JazzyResponse(status: 0), JazzyResponse(status: .max),
            .text("secret", headers: ["Content-Length": "3"]), .text("secret", headers: ["X": "secret\r\nY: z"]),
            .bytes([], contentType: "text\0plain"), JazzyResponse(.file("/etc/passwd")),
        ])
    func invalid(response: JazzyResponse) throws {
        let log = LogLines()
        try withServer(options: log.options(.info)) {
            $0.get("/page") { _ in response }
        } body: { server in
            let page = try TestPage(port: server.port, path: "/page")
            #expect(page.head.hasPrefix("HTTP/1.1 500 "))
            try eventually("a line") {
                log.texts(of: .error).contains { $0.contains("the page of /page gave a response that may not be sent") }
            }
            #expect(!log.texts(of: .error).contains { $0.contains("secret") || $0.contains("passwd") })
        }
    }

    /// A handler that takes an hour, unless it is cancelled.
    final class SlowPage: Sendable {
        let begun = Atomic(0)
        let cancelled = Atomic(0)

        @Sendable func callAsFunction(_ request: JazzyRequest) async throws -> JazzyResponse {
            begun.add(1, ordering: .sequentiallyConsistent)
            do {
                try await Task.sleep(for: .seconds(3_600))
            } catch {
                cancelled.add(1, ordering: .sequentiallyConsistent)
                throw error
            }
            return .text("slow")
        }

        func expectBegun(_ count: Int) throws {
            try eventually("\(count) begun") { begun.load(ordering: .sequentiallyConsistent) == count }
        }

        func expectCancelled(_ count: Int) throws {
            try eventually("\(count) cancelled") { cancelled.load(ordering: .sequentiallyConsistent) == count }
        }

        func expectAllCancelled() throws {
            try eventually("each that has begun is cancelled") {
                let count = cancelled.load(ordering: .sequentiallyConsistent)
                return count > 0 && count == begun.load(ordering: .sequentiallyConsistent)
            }
        }
    }

    @Test("A handler that takes too long is cancelled, and the client gets a 503", arguments: [false, true])
    func timeout(onWorker: Bool) throws {
        let (slow, log) = (SlowPage(), LogLines())
        let options = JazzyPageOptions(execution: onWorker ? .workers : .loop, timeout: .milliseconds(100))
        try withServer(options: log.options(.info)) {
            $0.get("/slow", options: options) { try await slow($0) }
        } body: { server in
            for _ in 1...20 {
                let page = try TestPage(port: server.port, path: "/slow")
                #expect(page.head.hasPrefix("HTTP/1.1 503 "))
            }
            // A worker that comes to a request when its time is over does not call the handler.
            if onWorker { try slow.expectAllCancelled() } else { try slow.expectCancelled(20) }
            #expect(log.texts(of: .error).isEmpty, "that it was cancelled is no error")
        }
    }

    @Test("Handlers are cancelled when their clients go, and when the server stops")
    func cancellation() throws {
        let slow = SlowPage()
        let server = JazzyServer(options: .patient)
        server.get("/slow", options: JazzyPageOptions(timeout: .seconds(3_600))) { try await slow($0) }
        try server.start(host: "127.0.0.1", port: 0)
        let sockets = try (1...2).map { _ in try TestSocket(port: server.port) }
        for socket in sockets { try socket.send(Array("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n".utf8)) }
        try slow.expectBegun(2)
        server.stop()
        for socket in sockets { #expect(try socket.receiveHead().hasPrefix("HTTP/1.1 503 ")) }
        server.wait()
        try slow.expectCancelled(2)
    }

    @Test("A time-out out of range is refused")
    func options() {
        let server = JazzyServer()
        server.get("/page", options: JazzyPageOptions(timeout: .milliseconds(99))) { _ in .text("") }
        let error = #expect(throws: JazzyError.self) { try server.start(host: "127.0.0.1", port: 0) }
        #expect(error?.code == .invalidOption)
        #expect(error?.message.contains("timeout of the page /page") == true)
    }
}

import JazzySwift
import Testing

@Suite("Catch-alls", .ownThreads)
struct CatchAllTests {
    /// A handshake for the path; the answer tells what the catch-all matched.
    private func rest(of path: String, on server: JazzyServer) throws -> String? {
        headerValue("x-rest", of: try TestHandshake(port: server.port, path: path).receiveHead())
    }

    @Test(
        "The rest of the path is a parameter, decoded",
        arguments: [
            ("/files/a", "a"), ("/files/a/b.txt", "a/b.txt"), ("/files/a%20b/%C3%A9/", "a b/é/"),
            ("/files/x/../a/./b", "a/b"), ("/files/%252e%252e/a", "%2e%2e/a"),
        ])
    func rest(path: String, rest: String) throws {
        try withServer {
            $0.ws(
                "/files/*rest", upgrade: { .accept(headers: ["X-Rest": $0.parameters["rest"] ?? "none"]) }
            ) { _, _, _ in }
        } body: { server in
            let matched = try self.rest(of: path, on: server)
            #expect(matched == rest)
        }
    }

    @Test(
        "Nothing that leads elsewhere is matched",
        arguments: [
            "/files", "/files/", "/files//etc/passwd", "/files/%2Fetc/passwd", "/files/../a", "/files/%2e%2e/a",
            "/files/a%2F..%2F..%2Fb",
        ])
    func elsewhere(path: String) throws {
        try withServer {
            $0.get("/files/*rest", .text("here"))
        } body: { server in
            let page = try TestPage(port: server.port, path: path)
            #expect(page.head.hasPrefix("HTTP/1.1 404 "))
        }
    }

    @Test("Paths go first, then parameters, then the catch-all with the longest prefix")
    func precedence() throws {
        try withServer { server in
            for path in ["/*all", "/files/*rest", "/files/images/*rest", "/files/:name", "/files/readme"] {
                server.get(path, .text(path))
            }
        } body: { server in
            let expected = [
                "/files/readme": "/files/readme", "/files/a": "/files/:name", "/files/a/b": "/files/*rest",
                "/files/images/a/b": "/files/images/*rest", "/files/": "/*all", "/a/b": "/*all",
            ]
            for (path, route) in expected {
                let page = try TestPage(port: server.port, path: path)
                #expect(page.body == Array(route.utf8), "\(path)")
            }
        }
    }

    @Test(
        "An error in a catch-all says how it has to be",
        arguments: [
            (["/*"], "the name of a catch-all has letters, digits and '_', and at least one, as in \"/files/*rest\""),
            (["/*rest/more"], "a '*' begins a catch-all, which is the last segment"),
            (["/files/*rest", "/files/*path"], "is there already and matches the same paths"),
        ])
    func errors(paths: [String], message: String) {
        let server = JazzyServer()
        paths.forEach { server.get($0, .text("")) }
        let error = #expect(throws: JazzyError.self) { try server.start(host: "127.0.0.1", port: 0) }
        #expect(error?.code == .invalidRoute)
        #expect(error?.message.contains(message) == true)
    }
}

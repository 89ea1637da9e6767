import JazzySwift
import Testing

@Suite("What is not found", .ownThreads)
struct NotFoundTests {
    @Test("A path that leads to no route is answered with the page, and counted")
    func page() throws {
        try withServer {
            $0.get("/", .text("here"))
            $0.notFound(.html("<h1>Nothing here: é</h1>"))
        } body: { server in
            let page = try TestPage(port: server.port, path: "/nowhere")
            #expect(page.head.hasPrefix("HTTP/1.1 404 "))
            #expect(page.contentType == "text/html; charset=utf-8")
            #expect(page.body == Array("<h1>Nothing here: é</h1>".utf8))
            let root = try TestPage(port: server.port, path: "/")
            #expect(root.body == Array("here".utf8))
            #expect(server.statistics.refused(for: .notFound) == 1)
        }
    }

    @Test("Who asks for a WebSocket that is not there gets a short text")
    func webSocket() throws {
        try withServer {
            $0.notFound(.html("<h1>Nothing here</h1>"))
        } body: { server in
            let refusal = try TestHandshake(port: server.port, path: "/nowhere").receiveRefusal()
            #expect(refusal.status == 404)
            #expect(refusal.body == "Not Found: there is no route with this path\n")
        }
    }

    @Test("There is one such page, whose content type is a line")
    func errors() {
        let twice = JazzyServer()
        twice.notFound(.text("a"))
        twice.notFound(.text("b"))
        let error = #expect(throws: JazzyError.self) { try twice.start(host: "127.0.0.1", port: 0) }
        #expect(error?.code == .invalidRoute)
        #expect(error?.message.contains("there is one already") == true)
        for type in ["text/html\r\nX: y", "text\0html"] {
            let server = JazzyServer()
            server.notFound(.bytes([], contentType: type))
            let error = #expect(throws: JazzyError.self) { try server.start(host: "127.0.0.1", port: 0) }
            #expect(error?.message.contains("what is not found") == true)
        }
    }
}

import Foundation
import JazzySwift
import Testing

@Suite("Files", .ownThreads)
struct FileTests {
    /// Runs a body with a folder of its own.
    static func withFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "jazzy-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder.appending(path: "public/sub"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in [
            "secret.txt": "secret", "public/index.html": "<p>index", "public/sub/a.css": "p {}",
            "public/.env": "secret",
        ] {
            try Data(text.utf8).write(to: folder.appending(path: name))
        }
        try body(folder)
    }

    struct Request: Sendable, CustomTestStringConvertible {
        let path: String
        let status: Int
        var contentType = "text/plain; charset=utf-8"
        var body: String?
        var testDescription: String { path }
    }

    @Test("A folder and a file are served, and nothing else")
    func folder() throws {
        try Self.withFolder { folder in
            try withServer {
                $0.files("/app/", from: folder.appending(path: "public").path)
                $0.files(
                    "/bare/", from: folder.appending(path: "public").path,
                    options: JazzyFileOptions(contentType: "text/x-bare", cacheControl: "max-age=9", index: nil))
                $0.get("/one", .file(folder.appending(path: "secret.txt").path))
            } body: { server in
                for request in [
                    Request(path: "/app/", status: 200, contentType: "text/html; charset=utf-8", body: "<p>index"),
                    Request(path: "/app/sub/a.css", status: 200, contentType: "text/css; charset=utf-8", body: "p {}"),
                    Request(path: "/one", status: 200, body: "secret"),
                    Request(path: "/bare/sub/a.css", status: 200, contentType: "text/x-bare", body: "p {}"),
                    Request(path: "/bare/", status: 404),
                    Request(path: "/app/none", status: 404),
                    Request(path: "/app/%2e%2e%2fsecret.txt", status: 404),
                    Request(path: "/app/.env", status: 404),
                ] {
                    let page = try TestPage(port: server.port, path: request.path)
                    #expect(page.head.hasPrefix("HTTP/1.1 \(request.status) "), "\(request.path)")
                    #expect(page.contentType == request.contentType)
                    if let body = request.body { #expect(page.body == Array(body.utf8)) }
                }
                let bare = try TestPage(port: server.port, path: "/bare/index.html")
                #expect(headerValue("cache-control", of: bare.head) == "max-age=9")
                let index = try TestPage(port: server.port, path: "/app/index.html")
                #expect(headerValue("cache-control", of: index.head) == "no-cache")
                #expect(headerValue("etag", of: index.head)?.hasPrefix("\"") == true)
            }
        }
    }

    @Test("A server that cannot serve what it should does not listen")
    func errors() throws {
        try Self.withFolder { folder in
            let path = folder.path
            let routes: [(String, (JazzyServer) -> Void)] = [
                ("No such file", { $0.files("/", from: path + "/none") }),
                ("No such file", { $0.get("/", .file(path + "/none")) }),
                ("it is no folder", { $0.files("/", from: path + "/secret.txt") }),
                ("it is no file", { $0.get("/", .file(path)) }),
                ("ends with a slash", { $0.files("/app", from: path) }),
                ("NUL", { $0.files("/", from: path + "\0") }),
                ("NUL", { $0.get("/", .file(path, options: JazzyFileOptions(cacheControl: "a\0"))) }),
                ("the index of a folder", { $0.files("/", from: path, options: JazzyFileOptions(index: "../a")) }),
                ("one line each", { $0.files("/", from: path, options: JazzyFileOptions(contentType: "")) }),
                ("comes from memory", { $0.notFound(.file(path + "/secret.txt")) }),
            ]
            for (message, register) in routes {
                let server = JazzyServer()
                register(server)
                let error = #expect(throws: JazzyError.self) { try server.start(host: "127.0.0.1", port: 0) }
                #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
            }
        }
    }

    @Test("A rejection from a file is none: the client gets a 500")
    func rejection() throws {
        let log = LogLines()
        try withServer(options: log.options(.info)) {
            $0.ws("/", upgrade: { _ in .reject(403, body: .file("/etc/hostname")) }) { _, _, _ in }
        } body: { server in
            let refusal = try TestHandshake(port: server.port, path: "/").receiveRefusal()
            #expect(refusal.status == 500)
            #expect(log.texts(of: .error).contains { $0.contains("gave an answer that may not be sent") })
        }
    }

    @Test("Contents are equal if they are the same text or file")
    func equality() throws {
        #expect(JazzyContent.file("a") == .file("a"))
        #expect(JazzyContent.file("a") != .file("b"))
        #expect(JazzyContent.file("a") != .file("a", options: JazzyFileOptions(index: nil)))
        #expect(JazzyContent.file("a") != .bytes([], contentType: ""))
        #expect(try JazzyContent.json([1, 2]).body == Array("[1,2]".utf8))
    }
}

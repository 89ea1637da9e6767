import JazzySwift
import Testing

@Suite("What keeps a server from starting", .ownThreads)
struct JazzyErrorTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let code: JazzyError.Code
        let naming: String
        var host = "127.0.0.1"
        var port = 0
        var setUp: @Sendable (JazzyServer) -> Void = { _ in }
    }

    static let cases = [
        Case(testDescription: "two WebSocket routes of one path", code: .invalidRoute, naming: "/twice") {
            $0.ws("/twice") { _, _, _ in }
            $0.ws("/twice") { _, _, _ in }
        },
        Case(testDescription: "two pages of one path", code: .invalidRoute, naming: "/twice") {
            $0.get("/twice", .text("1"))
            $0.get("/twice", .text("2"))
        },
        Case(testDescription: "a path that does not begin with a slash", code: .invalidRoute, naming: "chat") {
            $0.ws("chat") { _, _, _ in }
        },
        Case(testDescription: "an empty path", code: .invalidRoute, naming: "route") { $0.ws("") { _, _, _ in } },
        Case(testDescription: "a path with a NUL", code: .invalidRoute, naming: "NUL") { $0.get("/a\0b", .text("")) },
        Case(testDescription: "a content type with a line's end", code: .invalidRoute, naming: "/page") {
            $0.get("/page", .bytes([], contentType: "text/plain\r\nX: y"))
        },
        Case(testDescription: "a route's option out of range", code: .invalidOption, naming: "/big") {
            $0.ws("/big", options: JazzyRouteOptions(maxMessageSize: 0)) { _, _, _ in }
        },
        Case(testDescription: "a window that is none", code: .invalidOption, naming: "deflate.windowBits") {
            $0.ws("/", options: JazzyRouteOptions(deflate: .dedicated(windowBits: 16))) { _, _, _ in }
        },
        Case(testDescription: "a port that is none", code: .invalidAddress, naming: "65536", port: 65_536),
        Case(testDescription: "a negative port", code: .invalidAddress, naming: "-1", port: -1),
        Case(testDescription: "a host that is none", code: .invalidAddress, naming: "1.2.3.4.5", host: "1.2.3.4.5"),
        Case(testDescription: "a host with a NUL", code: .invalidAddress, naming: "NUL", host: "127.0.0.1\0"),
        Case(testDescription: "an address of others", code: .addressUnavailable, naming: "address", host: "192.0.2.1"),
    ]

    @Test("An error names what is wrong", arguments: cases)
    func refused(_ example: Case) {
        let server = JazzyServer()
        example.setUp(server)
        let error = #expect(throws: JazzyError.self) { try server.start(host: example.host, port: example.port) }
        #expect(error?.code == example.code)
        #expect(error?.description.contains(example.naming) == true, "\(String(describing: error))")
        #expect(server.port == 0)
    }

    @Test("A port in use is refused, and another one may be tried")
    func portInUse() throws {
        try withServer {
            $0.get("/", .text("first"))
        } body: { first in
            let second = JazzyServer()
            let error = #expect(throws: JazzyError.self) { try second.start(host: "127.0.0.1", port: first.port) }
            #expect(error?.code == .addressInUse)
            #expect(error?.message.contains("\(first.port)") == true)
            try second.start(host: "127.0.0.1", port: 0)
        }
    }

    @Test("A server listens once and runs once until it is stopped")
    func states() throws {
        let server = JazzyServer()
        let expectInvalidState = { (call: () throws -> Void) in
            let error = #expect(throws: JazzyError.self) { try call() }
            #expect(error?.code == .invalidState)
        }
        expectInvalidState { try server.run() }
        try server.start(host: "127.0.0.1", port: 0)
        expectInvalidState { try server.start(host: "127.0.0.1", port: 0) }
        expectInvalidState { try server.run() }
        expectInvalidState { try server.runUntilSignal() }
    }
}

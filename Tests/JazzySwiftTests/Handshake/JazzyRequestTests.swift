import Testing

@testable import JazzySwift

@Suite("Requests", .ownThreads)
struct JazzyRequestTests {
    @Test(
        "A value of the query is found by its name, decoded",
        arguments: [
            ("a=1&b=2", "b", "2"), ("a=1&a=2", "a", "1"), ("a", "a", ""), ("a=", "a", ""), ("a=b=c", "a", "b=c"),
            ("a=one+two%20three%2B", "a", "one two three+"), ("n%C3%A4me=J%C3%BCrgen", "näme", "Jürgen"),
            ("&&a=1", "a", "1"), ("a=%zz+", "a", "%zz+"), ("a=%FF", "a", "\u{FFFD}"), ("a=1", "A", nil), ("", "a", nil),
            ("a=1", "", nil), ("=1", "", "1"), ("e%CC%81=1", "é", nil),
        ] as [(String, String, String?)])
    func queryValue(query: String, name: String, value: String?) {
        #expect(JazzyRequest(query: query).queryValue(name) == value)
    }

    @Test("All values of the query are found by their name, decoded")
    func queryValues() {
        let request = JazzyRequest(query: "a=1&b=2&a=x+y&&a&A=3&a=%zz")
        #expect(request.queryValues("a") == ["1", "x y", "", "%zz"])
        #expect(request.queryValues("c") == [])
    }

    @Test(
        "The position of a topic is the first of its own",
        arguments: [
            ("since=00000000000000ab:7:room/1", 7), ("since=00000000000000ab%3A7%3Aroom%2F1", 7),
            ("since=00000000000000ab:1:other&since=00000000000000ab:2:room/1&since=00000000000000ab:3:room/1", 2),
            ("since=nonsense:1:room/1&since=00000000000000ab:3:room/1", 3), ("since=00000000000000ab:7", nil),
            ("since=00000000000000ab:7:", nil), ("since=00000000000000ab:7:room", nil),
            ("since=00000000000000ab:07:room/1", nil), ("since=::room/1", nil), ("", nil),
        ] as [(String, UInt64?)])
    func position(query: String, offset: UInt64?) {
        let position = JazzyRequest(query: query).position(of: "room/1")
        #expect(position == offset.map { JazzyPosition(epoch: 0xab, offset: $0) })
    }

    @Test(
        "A cookie is found by its name",
        arguments: [
            ("session=abc", "abc"), ("a=b; session=abc; c=d", "abc"), ("session=abc; session=def", "abc"),
            ("session=\"quoted\"", "quoted"), ("session=\"", "\""), ("session=\"\"", ""), ("session=", ""),
            ("session=a=b", "a=b"), (" \tsession = abc \t;", "abc"), ("session", nil), ("Session=abc", nil), ("", nil),
            ("xsession=1", nil),
        ] as [(String, String?)])
    func cookie(line: String, value: String?) {
        #expect(JazzyRequest(headers: ["Cookie": line]).cookie("session") == value)
        #expect(JazzyRequest(headers: ["cookie": "other=1", "COOKIE": line]).cookie("session") == value)
        #expect(JazzyRequest(headers: ["X-Cookie": line]).cookie("session") == nil)
    }

    @Test("A header is found by its name, in capitals or in small letters, and the first counts")
    func header() {
        let request = JazzyRequest(headers: ["Accept-Language": "de", "ACCEPT-LANGUAGE": "en", "X-[": "1"])
        #expect(request.header("accept-language") == "de")
        #expect(request.header("Accept") == nil)
        #expect(request.header("x-{") == nil)
        #expect(request.headers.map(\.value) == ["de", "en", "1"])
    }

    @Test(
        "A route is found by every path that is equivalent to its own, and its parameters are decoded once",
        arguments: [
            ("/r%C3%A4ume/a%2Fb", "a/b"), ("/r%c3%a4ume/%C3%A9", "é"), ("/%72%C3%A4ume/%2541", "%41"),
            ("/x/../r%C3%A4ume/a+b", "a+b"),
        ])
    func equivalentPaths(path: String, parameter: String) throws {
        try withServer {
            $0.ws("/räume/:id", upgrade: { request in .accept(headers: ["X-ID": request.parameters["id"] ?? ""]) }) {
                _, _, _ in
            }
        } body: { server in
            let client = try TestClient(try TestHandshake(port: server.port, path: path))
            #expect(headerValue("x-id", of: client.head) == parameter)
        }
    }

    @Test(
        "A route that could never match is refused when its server starts", arguments: ["/a b", "/a%", "/a/../b", "/#"])
    func impossiblePaths(path: String) {
        let server = JazzyServer()
        server.ws(path) { _, _, _ in }
        let error = #expect(throws: JazzyError.self) { try server.start(host: "127.0.0.1") }
        #expect(error?.code == .invalidRoute)
        #expect(error?.message.hasPrefix("route \"\(path)\": ") == true)
    }

    @Test("An upgrade hook is given a copy of all that the client asked")
    func copy() throws {
        let requests = Recorder<JazzyRequest>()
        try withServer {
            let upgrade: JazzyUpgradeHook = { request in
                requests.record(request)
                return .accept()
            }
            $0.ws("/room/:id/:name", upgrade: upgrade) { ws, event, _ in
                if event == .open { ws.send(ws.remoteAddress ?? "none") }
            }
        } body: { server in
            let headers: JazzyHeaders = [
                "X-One": "1", "x-one": "2", "Cookie": "session=abc", "Sec-WebSocket-Protocol": "v2, v1",
            ]
            let client = try TestClient(
                try TestHandshake(port: server.port, path: "/room/a%2Fb+c/%zz?q=%26+1&empty", headers: headers))
            let request = try requests.values(count: 1)[0]
            #expect(request.path == "/room/a%2Fb+c/%zz")
            #expect(request.query == "q=%26+1&empty")
            #expect(request.route == "/room/:id/:name")
            #expect(request.parameters == ["id": "a/b+c", "name": "%zz"])
            #expect(request.queryValue("q") == "& 1")
            #expect(request.queryValue("empty") == "")
            #expect(request.headers.suffix(4).map(\.name) == ["X-One", "x-one", "Cookie", "Sec-WebSocket-Protocol"])
            #expect(request.header("host") == "localhost")
            #expect(request.cookie("session") == "abc")
            #expect(request.subprotocols == ["v2", "v1"])
            #expect(request.remoteAddress == client.localAddress)
            #expect(try client.receiveText() == request.remoteAddress)
        }
    }
}

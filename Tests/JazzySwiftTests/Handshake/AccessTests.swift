import JazzySwift
import Testing

@Suite("Origins and subprotocols", .ownThreads)
struct AccessTests {
    @Test(
        "Browsers may connect from the pages that the route allows",
        arguments: [
            (JazzyOrigins.sameHost, nil, 101), (.sameHost, "http://localhost", 101),
            (.sameHost, "http://evil.example", 403), (.listed(["https://a.example"]), "https://a.example", 101),
            (.listed(["https://a.example"]), "https://A.example:443", 101),
            (.listed(["https://a.example"]), "http://localhost", 403), (.listed(["https://a.example"]), nil, 101),
            (.any, "http://evil.example", 101),
        ] as [(JazzyOrigins, String?, Int)])
    func origins(origins: JazzyOrigins, origin: String?, status: Int) throws {
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(origins: origins)) { _, _, _ in }
        } body: { server in
            let headers: JazzyHeaders = origin.map { ["Origin": $0] } ?? [:]
            let head = try TestHandshake(port: server.port, path: "/", headers: headers).receiveHead()
            #expect(head.hasPrefix("HTTP/1.1 \(status) "))
            #expect(server.statistics.refused(for: .origin) == (status == 403 ? 1 : 0))
        }
    }

    @Test(
        "The best subprotocol that both speak is agreed on, unless the hook chooses",
        arguments: [
            (nil, "v1, v2", "v2"), (nil, "v3", nil), (nil, nil, nil), ("v1", "v1, v2", "v1"), ("", "v1", nil),
        ] as [(String?, String?, String?)])
    func subprotocols(chosen: String?, offered: String?, agreed: String?) throws {
        try withServer {
            let options = JazzyRouteOptions(subprotocols: ["v2", "v1"])
            $0.ws("/", options: options, upgrade: { _ in .accept(subprotocol: chosen) }) { ws, event, _ in
                if event == .open { ws.send(ws.subprotocol ?? "none") }
            }
        } body: { server in
            let headers: JazzyHeaders = offered.map { ["Sec-WebSocket-Protocol": $0] } ?? [:]
            let client = try TestClient(try TestHandshake(port: server.port, path: "/", headers: headers))
            #expect(headerValue("sec-websocket-protocol", of: client.head) == agreed)
            #expect(try client.receiveText() == agreed ?? "none")
        }
    }

    @Test("Once a connection is gone it has no subprotocol")
    func gone() throws {
        let opened = Recorder<JazzyWebSocket>()
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(subprotocols: ["v1"])) { ws, event, _ in
                if event == .open { opened.record(ws) }
            }
        } body: { server in
            let headers: JazzyHeaders = ["Sec-WebSocket-Protocol": "v1"]
            let client = try TestClient(try TestHandshake(port: server.port, path: "/", headers: headers))
            let ws = try opened.values(count: 1)[0]
            #expect(ws.subprotocol == "v1")
            try client.sendClose(code: 1000)
            try eventually("the connection is gone") { ws.remoteAddress == nil }
            #expect(ws.subprotocol == nil)
        }
    }

    @Test("The address of a client behind a trusted proxy is what that tells")
    func proxies() throws {
        var options = JazzyOptions()
        options.clientAddress = .xForwardedFor
        options.trustedProxies = ["127.0.0.0/8"]
        try withServer(options: options) {
            $0.ws("/") { ws, event, _ in if event == .open { ws.send(ws.remoteAddress ?? "none") } }
        } body: { server in
            let headers: JazzyHeaders = ["X-Forwarded-For": "203.0.113.9, 192.0.2.7"]
            let client = try TestClient(try TestHandshake(port: server.port, path: "/", headers: headers))
            #expect(try client.receiveText() == "192.0.2.7:0")
        }
    }

    @Test(
        "The address may be in a header of any name, once and alone",
        arguments: [
            (["CF-Connecting-IP": "192.0.2.7"], 101, "192.0.2.7:0"),
            (["cf-connecting-ip": "[2001:db8::7]:99"], 101, "[2001:db8::7]:99"),
            (["CF-Connecting-IP": "192.0.2.7, 192.0.2.8"], 400, ""),
            (["CF-Connecting-IP": "192.0.2.7", "Cf-Connecting-Ip": "192.0.2.7"], 400, ""),
        ] as [(JazzyHeaders, Int, String)])
    func addressHeader(headers: JazzyHeaders, status: Int, address: String) throws {
        var options = JazzyOptions()
        options.clientAddress = .header("CF-Connecting-IP")
        options.trustedProxies = ["127.0.0.0/8"]
        try withServer(options: options) {
            $0.ws("/") { ws, event, _ in if event == .open { ws.send(ws.remoteAddress ?? "none") } }
        } body: { server in
            let handshake = try TestHandshake(port: server.port, path: "/", headers: headers)
            if status == 101 {
                #expect(try TestClient(handshake).receiveText() == address)
            } else {
                #expect(try handshake.receiveStatus() == status)
            }
        }
    }

    @Test(
        "A header that cannot be one is refused, naming the option",
        arguments: [
            ("", "option clientAddress is \"\"; it has to be the name of a header"),
            ("X Real IP", "option clientAddress is \"X Real IP\"; it has to be the name of a header"),
            ("x-forwarded-for", "a list of addresses; take .xForwardedFor"),
            ("Forwarded", "option clientAddress is .header(\"Forwarded\"), a list of addresses; take .forwarded"),
            ("X-Real\0-IP", "option clientAddress contains a NUL character"),
        ])
    func noAddressHeader(name: String, message: String) {
        var options = JazzyOptions()
        options.clientAddress = .header(name)
        options.trustedProxies = ["127.0.0.0/8"]
        let error = #expect(throws: JazzyError.self) {
            try JazzyServer(options: options).start(host: "127.0.0.1", port: 0)
        }
        #expect(error?.code == .invalidOption)
        #expect(error?.message.contains(message) == true)
    }

    @Test("Behind a trusted proxy, pages of the host that it tells are of the same host")
    func forwardedHost() throws {
        var options = JazzyOptions()
        options.forwardedHost = .xForwardedHost
        options.trustedProxies = ["127.0.0.0/8"]
        try withServer(options: options) {
            $0.ws("/") { ws, event, _ in if event == .open { ws.send("let in") } }
        } body: { server in
            let headers: JazzyHeaders = ["Origin": "https://example.com", "X-Forwarded-Host": "example.com"]
            let client = try TestClient(try TestHandshake(port: server.port, path: "/", headers: headers))
            #expect(try client.receiveText() == "let in")
            let other: JazzyHeaders = ["Origin": "http://localhost", "X-Forwarded-Host": "example.com"]
            #expect(try TestHandshake(port: server.port, path: "/", headers: other).receiveStatus() == 403)
        }
    }

    @Test("The first page of elsewhere is a warning with the way out, and further ones are not")
    func warning() throws {
        let warnings = Recorder<String>()
        var options = JazzyOptions()
        options.log = { level, line in if level == .warning { warnings.record(line) } }
        try withServer(options: options) {
            $0.ws("/chat") { _, _, _ in }
        } body: { server in
            for _ in 1...3 {
                let headers: JazzyHeaders = ["Origin": "https://elsewhere.example"]
                let status = try TestHandshake(port: server.port, path: "/chat", headers: headers).receiveStatus()
                #expect(status == 403)
            }
            #expect(server.statistics.refused(for: .origin) == 3)
        }
        #expect(warnings.values.count == 1)
        for words in ["\"https://elsewhere.example\"", "the route /chat", "the host \"localhost\"", "origins"] {
            #expect(warnings.values.first?.contains(words) == true)
        }
    }

    @Test("Pages without an origin of their own are let in where they are listed", arguments: ["null", "file://"])
    func withoutOrigin(origin: String) throws {
        try withServer {
            $0.ws("/listed", options: JazzyRouteOptions(origins: .listed([origin]))) { ws, event, _ in
                if event == .open { ws.send("let in") }
            }
            $0.ws("/same") { _, _, _ in }
        } body: { server in
            let headers: JazzyHeaders = ["Origin": origin]
            let client = try TestClient(try TestHandshake(port: server.port, path: "/listed", headers: headers))
            #expect(try client.receiveText() == "let in")
            #expect(try TestHandshake(port: server.port, path: "/same", headers: headers).receiveStatus() == 403)
        }
    }

    @Test("A refusal says in its body which field was wrong")
    func detail() throws {
        try withServer {
            $0.ws("/") { _, _, _ in }
        } body: { server in
            let headers: JazzyHeaders = ["Sec-WebSocket-Protocol": "a, a"]
            let refusal = try TestHandshake(port: server.port, path: "/", headers: headers).receiveRefusal()
            #expect(refusal.status == 400)
            #expect(refusal.body.hasPrefix("Bad Request: Sec-WebSocket-Protocol has to be a list of tokens"))
        }
    }

    @Test("Who is one too many from an address is answered with 429")
    func connectionsPerAddress() throws {
        var options = JazzyOptions()
        options.maxConnectionsPerAddress = 1
        try withServer(options: options) {
            $0.ws("/") { _, _, _ in }
        } body: { server in
            let first = try TestClient(port: server.port, path: "/")
            #expect(try TestHandshake(port: server.port, path: "/").receiveStatus() == 429)
            #expect(server.statistics.refused(for: .connectionsPerAddress) == 1)
            try first.sendClose(code: 1000)
        }
    }
}

import Foundation
import JazzyTesting
import Synchronization
import Testing

@testable import JazzySwift

@Suite("The dashboard", .ownThreads)
struct DashboardTests {
    /// The part of a sample that tests look at.
    struct Sample: Decodable {
        struct Viewers: Decodable { let now, messages, bytes, skipped: Int }
        struct Server: Decodable { let version, state: String, port: Int }
        struct Loop: Decodable { let websockets, received, sent, topics, subscriptions: Int }
        struct Topic: Decodable { let name: String, subscribers, publications, deliveries, bytes: Int }
        struct Receiver: Decodable { let address: String, route: String?, unsentBytes: Int }
        struct Incident: Decodable {
            let kind, reason, text, address: String, route: String?, timeMs: Int, closeCode: Int?
        }
        struct Workers: Decodable { let threads, busy, queued: Int }
        struct Connections: Decodable { let now, total, websocketsNow, websocketsTotal: Int }
        struct Kinds: Decodable { let text, binary, ping, pong: Int }
        struct Messages: Decodable { let received, receivedBytes, sent, sentBytes: Kinds, dropped, bufferedBytes: Int }
        struct Closes: Decodable { let codes, causes: [String: Int] }

        let format, number, timeMs, uptimeNs: Int
        let viewers: Viewers
        let server: Server
        let connections: Connections
        let messages: Messages
        let closes: Closes
        let refused, failures, incidentsTotal: [String: Int]
        let loops: [Loop]
        let workers: Workers
        let topics: [Topic]
        let receivers: [Receiver]
        let incidents: [Incident]

        init(_ text: String) throws {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            self = try decoder.decode(Self.self, from: Data(text.utf8))
        }
    }

    /// The next samples until one is as wanted.
    @discardableResult
    private func sample(
        from viewer: TestClient, _ what: String, where isWanted: (Sample) -> Bool = { _ in true }
    ) throws -> Sample {
        for _ in 0..<20 {
            let sample = try Sample(try viewer.receiveText())
            if isWanted(sample) { return sample }
        }
        throw TestFailure("no such sample: \(what)")
    }

    private func page(
        of server: JazzyServer, _ path: String = "/jazzy", _ headers: JazzyHeaders = ["Host": "localhost"]
    ) throws -> (status: Int, head: String, body: String) {
        let socket = try TestSocket(port: server.port)
        let lines = headers.map { "\($0.name): \($0.value)\r\n" }.joined()
        try socket.send(Array("GET \(path) HTTP/1.1\r\n\(lines)\r\n".utf8))
        let head = try socket.receiveHead()
        let status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        let length = headerValue("content-length", of: head).flatMap { Int($0) } ?? 0
        return (status, head, String(decoding: try socket.receive(length), as: UTF8.self))
    }

    @Test("The page is one document, which only its own script may do anything in")
    func document() throws {
        try withServer {
            $0.dashboard()
        } body: { server in
            var nonces: Set<String> = []
            for _ in 0..<2 {
                let page = try page(of: server)
                #expect(page.status == 200)
                #expect(headerValue("content-type", of: page.head) == "text/html; charset=utf-8")
                #expect(headerValue("cache-control", of: page.head) == "no-store")
                #expect(headerValue("x-frame-options", of: page.head) == "DENY")
                #expect(headerValue("x-content-type-options", of: page.head) == "nosniff")
                let policy = try #require(headerValue("content-security-policy", of: page.head))
                #expect(policy.hasPrefix("default-src 'none'; script-src 'nonce-"))
                #expect(policy.contains("frame-ancestors 'none'"))
                #expect(!policy.contains("unsafe"))
                let nonce = try #require(policy.split(separator: "'").first { $0.hasPrefix("nonce-") }?.dropFirst(6))
                #expect(nonce.count > 20)
                nonces.insert(String(nonce))
                #expect(page.body.ranges(of: " nonce=\"\(nonce)\">").count == 2)
                #expect(!page.body.contains("NONCE"))
                #expect(!page.body.contains(/<[^>]+ (style|on[a-z]+|src)=/))
            }
            #expect(nonces.count == 2)
        }
    }

    @Test("A sample has what a client did, to the byte, and what the viewers themselves took")
    func figures() throws {
        try withServer {
            $0.dashboard("/for/operators/jazzy")
            $0.metrics("/metrics")
            $0.ws("/echo") { ws, event, message in
                if event == .message { ws.send(message.bytes, kind: message.kind) }
            }
        } body: { server in
            let viewer = try TestClient(port: server.port, path: "/for/operators/jazzy")
            let first = try sample(from: viewer, "the first")
            #expect(first.format == 1)
            #expect(first.number == 1)
            #expect(first.server.port == server.port)
            #expect(first.connections.websocketsNow == 1)
            #expect(abs(Double(first.timeMs) / 1_000 - Date().timeIntervalSince1970) < 60)

            let client = try TestClient(port: server.port, path: "/echo")
            for number in 0..<100 { try client.send(.text, Array(repeating: 0x61, count: number)) }
            try client.send(.binary, Array(repeating: 0, count: 70_000))
            for _ in 0...100 { _ = try client.receive() }
            _ = try TestHandshake(port: server.port, path: "/nowhere").receiveStatus()
            try client.sendClose(code: 1_000)
            _ = try client.receiveClose()

            let last = try sample(from: viewer, "all of it") {
                // What the viewer was just sent its loop may not have counted yet.
                $0.closes.codes["1000"] == 1 && $0.refused["not_found"] == 1
                    && $0.messages.sent.text - $0.viewers.messages == 100
            }
            #expect(last.messages.received.text == 100)
            #expect(last.messages.receivedBytes.text == 4_950)
            #expect(last.messages.sentBytes.text - last.viewers.bytes == 4_950)
            #expect(last.messages.received.binary == 1)
            #expect(last.messages.sentBytes.binary == 70_000)
            #expect(last.connections.websocketsTotal == 2)
            #expect(last.connections.websocketsNow == 1)
            #expect(last.closes.causes["peer"] == 1)
            #expect(last.failures.values.allSatisfy { $0 == 0 })
            #expect(last.uptimeNs > first.uptimeNs)
        }
    }

    private static let soonFull = JazzyRouteOptions(backpressureLimit: 200_000, kernelSendLimit: 16_384)

    /// Until no more output of it may wait, because the client takes none.
    private static func fill(_ ws: JazzyWebSocket) throws {
        try eventually("no more may wait") {
            ws.send(Array(repeating: UInt8(0), count: 50_000))
            return ws.server.droppedCount > 0
        }
        // Behind what is still on its way to it, which it takes if the client's kernel has taken some meanwhile.
        ws.subscribe("filled")
        try eventually("nothing is on its way to it") { ws.isSubscribed(to: "filled") }
    }

    @Test("A sample names the busiest topics, the slowest receivers, and what went wrong last")
    func names() throws {
        var options = JazzyOptions()
        options.threads = 2
        try withServer(options: options) {
            $0.dashboard("/jazzy")
            $0.ws("/room/:name", options: Self.soonFull) { ws, event, message in
                if event == .open { ws.subscribe(ws.request?.parameters["name"] ?? "") }
                if event == .message { ws.publish("quiet", message.text) }
            }
        } body: { server in
            let viewer = try TestClient(port: server.port, path: "/jazzy")
            let quiet = try TestClient(port: server.port, path: "/room/quiet")
            let slow = try TestClient(port: server.port, path: "/room/slow")
            try eventually("it is there") { server.subscriberCount("slow") == 1 }
            let ws = try #require(server.connections(in: "slow").first)
            try Self.fill(ws)
            try quiet.sendRaw([0x83, 0x80, 0, 0, 0, 0])
            #expect(try TestHandshake(port: server.port, path: "/nowhere").receiveStatus() == 404)
            let busy = try TestClient(port: server.port, path: "/room/busy")
            try eventually("it is there") { server.subscriberCount("busy") == 1 }
            try sample(from: viewer, "busy topics, counted since the last sample") { sample in
                server.publish("busy", "<b>")
                return sample.topics.contains { $0.name == "busy" && $0.publications >= 1 && $0.subscribers == 1 }
            }
            let last = try sample(from: viewer, "both incidents") { sample in
                ["failed", "refused"].allSatisfy { kind in sample.incidents.contains { $0.kind == kind } }
            }
            #expect(last.loops.count == 2)
            #expect(last.loops.map(\.websockets).reduce(0, +) == last.connections.websocketsNow)
            #expect(last.receivers.first?.address == slow.localAddress)
            #expect(last.receivers.first?.route == "/room/:name")
            #expect((last.receivers.first?.unsentBytes ?? 0) > 100_000)
            let failed = try #require(last.incidents.first { $0.kind == "failed" })
            #expect(failed.reason == "reserved_opcode")
            #expect(failed.address == quiet.localAddress)
            #expect(failed.route == "/room/:name")
            #expect(last.failures["reserved_opcode"] == 1)
            let refused = try #require(last.incidents.first { $0.kind == "refused" })
            #expect(refused.reason == "not_found")
            #expect(!refused.text.isEmpty)
            #expect(last.incidentsTotal["refused"] == 1)
            _ = busy
            #expect(last.server.state == "running")
        }
    }

    @Test("A server that drains says so, and does not stay for those who look at it, on several pages")
    func draining() throws {
        try withServer {
            $0.dashboard("/jazzy")
            $0.dashboard("/other") { _ in .accept() }
            $0.ws("/echo") { _, _, _ in }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/echo")
            let viewers = try ["/jazzy", "/other"].map { try TestClient(port: server.port, path: $0) }
            try sample(from: viewers[0], "all three") { $0.connections.websocketsNow == 3 && $0.viewers.now == 2 }
            server.drain(deadline: .never)
            try sample(from: viewers[0], "that it drains") { $0.server.state == "draining" }
            try client.sendClose(code: 1_000)
            for viewer in viewers {
                while true {
                    let frame = try viewer.receive()
                    guard frame.opcode == .close else { continue }
                    #expect(frame.close?.code == 1_001)
                    try viewer.sendClose(code: 1_001)
                    break
                }
            }
            // Nobody has stopped it.
            server.wait()
        }
    }

    struct Client: Sendable, CustomTestStringConvertible {
        let name: String
        var headers: JazzyHeaders = ["Host": "localhost"]
        var options = JazzyOptions()
        let isLocal: Bool
        var testDescription: String { name }
    }

    /// With a header that no other program knows.
    private static let behindProxy: JazzyOptions = {
        var options = JazzyOptions()
        options.clientAddress = .header("X-Who")
        options.trustedProxies = ["127.0.0.1"]
        return options
    }()

    private static let behindForwarding: JazzyOptions = {
        var options = JazzyOptions()
        options.clientAddress = .xForwardedFor
        options.trustedProxies = ["127.0.0.1"]
        return options
    }()

    @Test(
        "Only this machine's clients get the page and its figures",
        arguments: [
            Client(name: "localhost", isLocal: true),
            Client(name: "localhost with a port", headers: ["Host": "LocalHost:8080"], isLocal: true),
            Client(name: "an address", headers: ["Host": "127.0.0.1:8080"], isLocal: true),
            Client(name: "an address of IPv6", headers: ["Host": "[::1]:8080"], isLocal: true),
            Client(name: "a name that leads here", headers: ["Host": "evil.example"], isLocal: false),
            Client(name: "a name that begins like it", headers: ["Host": "localhost.evil.example"], isLocal: false),
            Client(name: "a name like an address", headers: ["Host": "127.0.0.1.evil.example"], isLocal: false),
            Client(name: "another address", headers: ["Host": "192.0.2.1"], isLocal: false),
            Client(
                name: "an unknown proxy", headers: ["Host": "localhost", "X-Forwarded-For": "203.0.113.9"],
                isLocal: false),
            Client(
                name: "who claims to be here", headers: ["Host": "localhost", "X-Forwarded-For": "127.0.0.1"],
                isLocal: false),
            Client(
                name: "an unknown proxy, by RFC 7239", headers: ["Host": "localhost", "Forwarded": "for=127.0.0.1"],
                isLocal: false),
            Client(name: "a proxy's name", headers: ["Host": "localhost", "Via": "1.1 front"], isLocal: false),
            Client(
                name: "a trusted proxy's client", headers: ["Host": "localhost", "X-Who": "203.0.113.9"],
                options: behindProxy, isLocal: false),
            Client(
                name: "who is on a trusted proxy's machine", headers: ["Host": "localhost", "X-Who": "127.0.0.1"],
                options: behindProxy, isLocal: false),
            Client(
                name: "a forged address before a trusted proxy's",
                headers: ["Host": "localhost", "X-Forwarded-For": "127.0.0.1, 203.0.113.9"],
                options: behindForwarding, isLocal: false),
        ])
    func audience(client: Client) throws {
        try withServer(options: client.options) {
            $0.dashboard("/jazzy")
        } body: { server in
            let page = try page(of: server, "/jazzy", client.headers)
            #expect(page.status == (client.isLocal ? 200 : 403))
            #expect(page.body.contains("Route.dashboard(") == !client.isLocal)
            #expect(page.body.contains("websockets_now") == client.isLocal)
            if client.isLocal {
                let viewer = try TestClient(
                    TestHandshake(TestSocket(port: server.port), path: "/jazzy", headers: client.headers))
                try sample(from: viewer, "any")
            } else {
                let refusal = try TestHandshake(port: server.port, path: "/jazzy", headers: client.headers)
                    .receiveRefusal()
                #expect(refusal.status == 403)
                #expect(refusal.body.contains("Route.dashboard("))
            }
        }
    }

    @Test("An audience says who else sees it")
    func audiences() throws {
        try withServer {
            $0.dashboard("/jazzy", for: .loopback(or: { $0.header("X-Word") == "open" }))
            $0.dashboard("/word", for: .clients(where: { $0.header("X-Word") == "open" }))
            $0.dashboard("/all", for: .everyone)
        } body: { server in
            let clients: [(JazzyHeaders, [String: Int])] = [
                (["Host": "localhost"], ["/jazzy": 200, "/word": 403, "/all": 200]),
                (["Host": "example.com"], ["/jazzy": 403, "/word": 403, "/all": 200]),
                (["Host": "example.com", "X-Word": "open"], ["/jazzy": 200, "/word": 200, "/all": 200]),
            ]
            for (headers, statuses) in clients {
                for (path, status) in statuses {
                    #expect(try page(of: server, path, headers).status == status)
                    let head = try TestHandshake(port: server.port, path: path, headers: headers).receiveHead()
                    #expect(head.hasPrefix("HTTP/1.1 \(status == 200 ? 101 : status) "))
                }
            }
        }
    }

    @Test(
        "Pages of other sites do not get the figures, even in a browser on this machine",
        arguments: [
            ("http://localhost:PORT", 101), ("http://evil.example", 403), ("null", 403), ("http://localhost:1", 403),
            ("https://localhost", 403),
        ])
    func origins(origin: String, status: Int) throws {
        try withServer {
            $0.dashboard("/jazzy")
        } body: { server in
            let headers: JazzyHeaders = [
                "Host": "localhost:\(server.port)", "Origin": origin.replacing("PORT", with: "\(server.port)"),
            ]
            let head = try TestHandshake(port: server.port, path: "/jazzy", headers: headers).receiveHead()
            #expect(head.hasPrefix("HTTP/1.1 \(status) "))
        }
    }

    struct Confidential: Error {}

    @Test("A hook decides alone, about the page and about its figures")
    func hook() throws {
        let log = LogLines()
        try withServer(options: log.options(.info)) {
            $0.dashboard("/jazzy") { request in
                try await Task.sleep(for: .milliseconds(1))
                switch request.header("X-Word") {
                case "open": return .accept(headers: ["Set-Cookie": "seen=1"])
                case "moved": return .reject(302, headers: ["Location": "/there"])
                case nil: return .reject(401, headers: ["WWW-Authenticate": "Basic"], body: .text("who?"))
                default: throw Confidential()
                }
            }
        } body: { server in
            for (word, status) in [("open", 200), ("moved", 302), (nil, 401), ("other", 500)] as [(String?, Int)] {
                var headers: [JazzyHeader] = [JazzyHeader("Host", "example.com")]
                if let word { headers.append(JazzyHeader("X-Word", word)) }
                let page = try page(of: server, "/jazzy", JazzyHeaders(headers))
                #expect(page.status == status)
                if word == "open" { #expect(headerValue("set-cookie", of: page.head) == "seen=1") }
                if word == "moved" { #expect(headerValue("location", of: page.head) == "/there") }
                if word == nil { #expect(page.body == "who?") }
                #expect(page.body.contains("websockets_now") == (word == "open"))

                let handshake = try TestHandshake(port: server.port, path: "/jazzy", headers: JazzyHeaders(headers))
                if word == "open" {
                    try sample(from: TestClient(handshake), "any")
                } else {
                    #expect(try handshake.receiveStatus() == status)
                }
            }
        }
    }

    @Test("All viewers get the same sample, and who comes later does not wait for the next")
    func sharing() throws {
        try withServer {
            $0.dashboard("/jazzy")
        } body: { server in
            let viewers = try (0..<10).map { _ in try TestClient(port: server.port, path: "/jazzy") }
            let number = try sample(from: viewers[9], "a second one") { $0.number > 1 }.number
            var texts: [Int: Set<String>] = [:]
            for viewer in viewers {
                var last = 0
                // One that has not taken those before misses the next.
                while last <= number {
                    let text = try viewer.receiveText()
                    last = try Sample(text).number
                    texts[last, default: []].insert(text)
                }
            }
            #expect(texts.values.allSatisfy { $0.count == 1 })
            let late = try TestClient(port: server.port, path: "/jazzy")
            #expect(try sample(from: late, "the last").number >= number + 1)
        }
    }

    @Test("Without a viewer there is no collecting, and it begins again with the next one")
    func idleness() throws {
        let feed = DashboardFeed()
        let server = JazzyServer()
        for part in DashboardRoute(path: "/jazzy", audience: .loopback).parts(of: feed) { server.add(part) }
        try server.start(host: "127.0.0.1", port: 0)
        defer {
            server.stop()
            server.wait()
        }
        #expect(!feed.isCollecting)
        for number in 1...2 {
            do {
                let viewer = try TestClient(port: server.port, path: "/jazzy")
                #expect(try sample(from: viewer, "any").number >= number)
                #expect(feed.isCollecting)
            }
            try eventually("nobody is left, and so nothing is collected") { !feed.isCollecting }
        }
    }

    @Test("Who does not take its samples misses them, and nothing piles up for it")
    func slowness() throws {
        try withServer {
            $0.dashboard("/jazzy")
            $0.ws("/flood", options: Self.soonFull) { ws, event, _ in
                if event == .open { ws.subscribe("flood") }
            }
        } body: { server in
            let feed = DashboardFeed()
            let slow = try TestClient(port: server.port, path: "/flood")
            try eventually("it is there") { server.subscriberCount("flood") == 1 }
            let ws = try #require(server.connections(in: "flood").first)
            // Output that the kernel does not take, as much as may wait.
            try Self.fill(ws)
            let waiting = ws.bufferedAmount
            #expect(waiting > 100_000)
            #expect(feed.add(ws))
            try eventually("it misses samples") { feed.skipped >= 2 }
            #expect(ws.bufferedAmount <= waiting)
            feed.remove(ws)
            _ = slow
        }
    }

    @Test("More viewers than anybody has are turned away")
    func crowd() throws {
        try withServer {
            $0.dashboard("/jazzy")
        } body: { server in
            var viewers: [TestClient] = []
            for _ in 0..<DashboardFeed.mostViewers {
                let viewer = try TestClient(port: server.port, path: "/jazzy")
                // Only who has a sample is counted for sure, and not who was let in just now, on another loop.
                _ = try viewer.receiveText()
                viewers.append(viewer)
            }
            let refusal = try TestHandshake(port: server.port, path: "/jazzy").receiveRefusal()
            #expect(refusal.status == 503)
            #expect(try page(of: server).status == 200)
        }
    }

    @Test("So many may look, also if more come at the same time than anybody can count")
    func rush() throws {
        let asked = Mutex(0)
        let count = DashboardFeed.mostViewers + 20
        try withServer {
            $0.dashboard("/jazzy") { _ in
                asked.withLock { $0 += 1 }
                while asked.withLock({ $0 < count }) { try await Task.sleep(for: .milliseconds(5)) }
                return .accept()
            }
        } body: { server in
            let handshakes = try (0..<count).map { _ in
                try TestHandshake(port: server.port, path: "/jazzy")
            }
            var refused = 0
            var viewers: [TestClient] = []
            for handshake in handshakes {
                // Those behind the first are refused, or, if they were already let in, closed.
                guard let viewer = try? TestClient(handshake) else {
                    refused += 1
                    continue
                }
                let frame = try viewer.receive()
                if frame.opcode == .close {
                    #expect(frame.close?.code == 1_013)
                    #expect(frame.close?.reason.contains("\(DashboardFeed.mostViewers) clients") == true)
                    refused += 1
                } else {
                    viewers.append(viewer)
                }
            }
            #expect(refused == 20)
            let seen = try sample(from: viewers[0], "all of them") { $0.viewers.now >= DashboardFeed.mostViewers }
            #expect(seen.viewers.now == DashboardFeed.mostViewers)
        }
    }

    @Test("A topic's name is shown with all its bytes, but for a character that is cut")
    func topics() throws {
        let names = ["a\0b", "a\0c", "", String(repeating: "é", count: 100)]
        try withServer {
            $0.dashboard("/jazzy")
            $0.ws("/all") { ws, event, _ in
                if event == .open { for name in names { ws.subscribe(name) } }
            }
        } body: { server in
            let viewer = try TestClient(port: server.port, path: "/jazzy")
            let client = try TestClient(port: server.port, path: "/all")
            try eventually("it has subscribed") { server.subscriberCount(names[3]) == 1 }
            let seen = try sample(from: viewer, "all topics") { sample in
                for name in names { server.publish(name, "text") }
                return sample.topics.count == names.count
            }
            #expect(Set(seen.topics.map(\.name)) == ["a\0b", "a\0c", "", String(repeating: "é", count: 63)])
            _ = client
        }
    }

    @Test("What histories keep is shown, if there is one")
    func history() throws {
        try withServer {
            $0.dashboard("/jazzy")
            $0.history("feed", keep: 10, for: .seconds(60))
            $0.resumable("/feed", topic: "feed")
        } body: { server in
            let viewer = try TestClient(port: server.port, path: "/jazzy")
            #expect(try !viewer.receiveText().contains(#""history""#))
            for text in ["one", "two"] { server.publish("feed", text) }
            let path = "/feed?since=\(server.recent("feed", 1).position)"
            let headers: JazzyHeaders = ["Sec-WebSocket-Protocol": "jazzy.resume.1"]
            let client = try TestClient(TestHandshake(TestSocket(port: server.port), path: path, headers: headers))
            for _ in 0..<20 {
                let text = try viewer.receiveText()
                guard text.contains(#""recovered":1"#) else { continue }
                #expect(text.contains(#""messages":2,"not_recovered":0,"recovered":1,"topics":1}"#))
                #expect(server.statistics.history.messages == 2)
                #expect(server.statistics.history.recovered == 1)
                return
            }
            Issue.record("the history was never shown")
            _ = client
        }
    }

    @Test("Viewers are told when the server stops, and a server that is started again has other figures")
    func stopping() throws {
        let server = JazzyServer()
        server.dashboard("/jazzy")
        for _ in 0..<2 {
            try server.start(host: "127.0.0.1", port: 0)
            let viewer = try TestClient(port: server.port, path: "/jazzy")
            let first = try sample(from: viewer, "the first")
            #expect(first.number == 1)
            #expect(first.connections.websocketsTotal == 1)
            server.stop()
            while true {
                let frame = try viewer.receive()
                guard frame.opcode == .close else { continue }
                #expect(frame.close?.code == 1_001)
                try viewer.sendClose(code: 1_001)
                break
            }
            server.wait()
        }
    }

    @Test("The path is checked", arguments: ["jazzy", "/a b", "/\0"])
    func errors(path: String) {
        let server = JazzyServer()
        server.dashboard(path)
        let error = #expect(throws: JazzyError.self) { try server.start(host: "127.0.0.1", port: 0) }
        #expect(error?.code == .invalidRoute)
    }
}

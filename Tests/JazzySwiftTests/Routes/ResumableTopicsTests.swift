import JazzySwift
import JazzyTesting
import Testing

@Suite("Resumable routes of several topics", .ownThreads)
struct ResumableTopicsTests {
    static func beginning(
        _ topic: String, _ server: JazzyServer, offset: Int, recovered: Bool = false, count: Int = 0
    ) -> String {
        let epoch = server.recent(topic, 0).position.description.prefix(16)
        return #"{"t":"\#(topic)","epoch":"\#(epoch)","offset":\#(offset),"recovered":\#(recovered),"count":\#(count)}"#
    }

    @Test("Each topic continues where it was, and its messages say what they are")
    func resume() throws {
        try withServer(options: TopicTests.twoLoops) {
            $0.history("feed", keep: 10, for: .seconds(60))
            $0.history("news/", keep: 10, for: .seconds(60))
            $0.resumable("/all", topics: ["feed", "news/a:b", "feed"])
        } body: { server in
            let first = try ResumableTests.connect(to: server, "/all")
            #expect(first.head.contains("jazzy.resume.1"))
            #expect(try first.receiveText() == Self.beginning("feed", server, offset: 0))
            #expect(try first.receiveText() == Self.beginning("news/a:b", server, offset: 0))
            server.publish("feed", #"{"price":1}"#)
            server.publish("news/a:b", [0, 255])
            #expect(try first.receiveText() == #"{"t":"feed","o":1,"d":"{\"price\":1}"}"#)
            #expect(try first.receiveText() == #"{"t":"news/a:b","o":1,"b":"AP8="}"#)
            first.reset()
            server.publish("feed", "two")
            let feed = server.recent("feed", 0).position.description.prefix(16)
            let news = server.recent("news/a:b", 0).position.description.prefix(16)
            let second = try ResumableTests.connect(
                to: server, "/all?since=\(feed)%3A1%3Afeed&since=\(news):9:news/a:b")
            #expect(try second.receiveText() == Self.beginning("feed", server, offset: 1, recovered: true, count: 1))
            #expect(try second.receiveText() == #"{"t":"feed","o":2,"d":"two"}"#)
            #expect(try second.receiveText() == Self.beginning("news/a:b", server, offset: 1))
        }
    }

    @Test("A hook chooses the topics of a client, or none")
    func topics() throws {
        try withServer {
            $0.history("room/", keep: 10, for: .seconds(60))
            $0.resumable("/rooms", topics: { $0.queryValues("room").map { "room/" + $0 } })
            $0.resumable("/none", topics: { _ in nil })
        } body: { server in
            let client = try ResumableTests.connect(to: server, "/rooms?room=7&room=8")
            #expect(try client.receiveText() == Self.beginning("room/7", server, offset: 0))
            #expect(try client.receiveText() == Self.beginning("room/8", server, offset: 0))
            server.publish("room/9", "not here")
            server.publish("room/8", "here")
            #expect(try client.receiveText() == #"{"t":"room/8","o":1,"d":"here"}"#)
            for path in ["/rooms", "/none"] {
                let refused = try TestHandshake(
                    port: server.port, path: path, headers: ["Sec-WebSocket-Protocol": "jazzy.resume.1"])
                #expect(try refused.receiveStatus() == 404)
            }
        }
    }

    @Test("A client that sends is closed, and so is one of whose topics one has no history")
    func closes() throws {
        var options = JazzyOptions()
        options.log = { _, _ in }
        try withServer(options: options) {
            $0.history("feed", keep: 10, for: .seconds(60))
            $0.resumable("/all", topics: ["feed"])
            $0.resumable("/some", topics: ["feed", "nothing"])
        } body: { server in
            let speaking = try ResumableTests.connect(to: server, "/all")
            _ = try speaking.receiveText()
            try speaking.send("hello")
            #expect(try speaking.receiveClose() == .policyViolation)
            let waiting = try ResumableTests.connect(to: server, "/some")
            _ = try waiting.receiveText()
            #expect(try waiting.receiveClose() == .internalError)
        }
    }

    @Test("A handler of one's own sends envelopes beside its own messages, and takes messages")
    func ownHandler() throws {
        try withServer {
            $0.history("room/", keep: 10, for: .seconds(60))
            $0.ws("/chat") { ws, event, message in
                if event == .open {
                    let since = ws.request?.position(of: "room/7")
                    ws.subscribe("room/7", since: since, announcing: true, enveloping: true)
                } else if event == .message {
                    ws.send("heard")
                    ws.publish("room/7", message.text)
                    ws.subscribe("room/8", recent: 1, enveloping: true)
                }
            }
        } body: { server in
            server.publish("room/8", "before")
            let client = try TestClient(port: server.port, path: "/chat")
            #expect(try client.receiveText() == Self.beginning("room/7", server, offset: 0))
            try client.send("Hello")
            #expect(try client.receiveText() == "heard")
            #expect(try client.receiveText() == #"{"t":"room/7","o":1,"d":"Hello"}"#)
            #expect(try client.receiveText() == #"{"t":"room/8","o":1,"d":"before"}"#)
        }
    }
}

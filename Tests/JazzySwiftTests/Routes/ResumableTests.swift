import JazzySwift
import JazzyTesting
import Testing

@Suite("Resumable routes", .ownThreads)
struct ResumableTests {
    static func connect(to server: JazzyServer, _ path: String) throws -> TestClient {
        let handshake = try TestHandshake(
            port: server.port, path: path, headers: ["Sec-WebSocket-Protocol": "jazzy.resume.1"])
        return try TestClient(handshake)
    }

    @Test("The first frame says where it continues, and the others are the messages as they were published")
    func resume() throws {
        try withServer(options: TopicTests.twoLoops) {
            $0.history("feed", keep: 10, for: .seconds(60))
            $0.resumable("/feed", topic: "feed")
        } body: { server in
            let epoch = server.recent("feed", 0).position.description.prefix(16)
            let first = try Self.connect(to: server, "/feed")
            #expect(first.head.contains("jazzy.resume.1"))
            #expect(try first.receiveText() == #"{"epoch":"\#(epoch)","offset":0,"recovered":false,"count":0}"#)
            server.publish("feed", "one")
            #expect(try first.receiveText() == "one")
            first.reset()
            server.publish("feed", "two")
            server.publish("feed", "three")
            for separator in [":", "%3A"] {
                let second = try Self.connect(to: server, "/feed?since=\(epoch)\(separator)1")
                #expect(try second.receiveText() == #"{"epoch":"\#(epoch)","offset":1,"recovered":true,"count":2}"#)
                #expect(try second.receiveText() == "two")
                #expect(try second.receiveText() == "three")
            }
            for since in ["\(epoch):4", "\(epoch):-1", "x", "%00", "\(epoch)"] {
                let third = try Self.connect(to: server, "/feed?since=\(since)")
                #expect(try third.receiveText() == #"{"epoch":"\#(epoch)","offset":3,"recovered":false,"count":0}"#)
            }
        }
    }

    @Test("A hook chooses the topic of a client, or none")
    func topics() throws {
        try withServer {
            $0.history("room/", keep: 10, for: .seconds(60))
            $0.resumable("/room/:id", topic: { $0.parameters["id"] == "secret" ? nil : "room/" + $0.parameters["id"]! })
        } body: { server in
            let client = try Self.connect(to: server, "/room/7")
            #expect(try client.receiveText().contains(#""offset":0,"recovered":false"#))
            server.publish("room/8", "not here")
            server.publish("room/7", "here")
            #expect(try client.receiveText() == "here")
            let refused = try TestHandshake(
                port: server.port, path: "/room/secret", headers: ["Sec-WebSocket-Protocol": "jazzy.resume.1"])
            #expect(try refused.receiveStatus() == 404)
        }
    }

    @Test("Clients of another protocol, and those whom the hook refuses, are not let in")
    func refusals() throws {
        try withServer {
            $0.history("feed", keep: 10, for: .seconds(60))
            $0.resumable("/feed", topic: "feed")
            $0.resumable("/closed", topic: "feed", upgrade: { _ in .reject(401) })
        } body: { server in
            let plain = try TestHandshake(port: server.port, path: "/feed").receiveRefusal()
            #expect(plain.status == 400)
            #expect(plain.body.contains("jazzy.resume.1"))
            let other: JazzyHeaders = ["Sec-WebSocket-Protocol": "jazzy.resume.2, chat"]
            #expect(try TestHandshake(port: server.port, path: "/feed", headers: other).receiveStatus() == 400)
            let right: JazzyHeaders = ["Sec-WebSocket-Protocol": "chat, jazzy.resume.1"]
            #expect(try TestHandshake(port: server.port, path: "/closed", headers: right).receiveStatus() == 401)
            _ = try TestClient(TestHandshake(port: server.port, path: "/feed", headers: right))
        }
    }

    @Test("A client that sends is closed, and so is one whose topic has no history")
    func closes() throws {
        var options = JazzyOptions()
        options.log = { _, _ in }
        try withServer(options: options) {
            $0.history("feed", keep: 10, for: .seconds(60))
            $0.resumable("/feed", topic: "feed")
            $0.resumable("/nothing", topic: "nothing")
        } body: { server in
            let speaking = try Self.connect(to: server, "/feed")
            _ = try speaking.receiveText()
            try speaking.send("hello")
            #expect(try speaking.receiveClose() == .policyViolation)
            #expect(try Self.connect(to: server, "/nothing").receiveClose() == .internalError)
        }
    }
}

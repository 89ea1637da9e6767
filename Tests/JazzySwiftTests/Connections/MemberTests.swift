import JazzySwift
import JazzyTesting
import Synchronization
import Testing

@Suite("Members", .ownThreads)
struct MemberTests {
    struct Info: Codable, Equatable {
        var name: String
        var score: Int
    }

    /// The route `/` becomes a member as its query says, and answers with what came of it.
    static func rooms(_ server: JazzyServer) {
        // Who waits behind other tests does not answer pings.
        server.ws("/", options: JazzyRouteOptions(idleTimeout: .never)) { ws, event, message in
            if event == .message, message.text == "leave" { ws.unsubscribe("room") }
            guard event == .open, let request = ws.request else { return }
            let member = JazzyMember(key: request.queryValue("key") ?? "", info: request.queryValue("info") ?? "")
            do {
                let status = try ws.subscribe("room", as: member)
                ws.send("\(status)")
            } catch let error as JazzyError {
                ws.send(error.message)
            }
        }
        server.ws("/text") { ws, event, message in
            if event == .open { try ws.subscribe("text", as: "Ada") }
        }
        server.ws("/json") { ws, event, message in
            if event == .open { try ws.subscribe("json", as: Info(name: "Ada", score: 7)) }
        }
    }

    static func join(_ server: JazzyServer, key: String = "", info: String = "") throws -> TestClient {
        let client = try TestClient(port: server.port, path: "/?key=\(key)&info=\(info)")
        #expect(try client.receiveText() == "sent")
        return client
    }

    @Test("Members are there from their subscription to their end, once for each key")
    func members() throws {
        try withServer(options: TopicTests.twoLoops, routes: Self.rooms) { server in
            #expect(server.members(of: "room").isEmpty)
            let ada = try Self.join(server, key: "ada", info: "1")
            let grace = try Self.join(server, key: "grace", info: "G")
            let again = try Self.join(server, key: "ada", info: "2")
            #expect(
                server.members(of: "room") == [
                    JazzyMember(key: "ada", info: "2"), JazzyMember(key: "grace", info: "G"),
                ])
            #expect(server.memberCount(of: "room") == 2)
            ada.reset()
            try grace.send("leave")
            try eventually("only Ada is there") { server.members(of: "room").map(\.key) == ["ada"] }
            again.reset()
            try eventually("nobody is there") { server.memberCount(of: "room") == 0 }
        }
        #expect(JazzyServer().members(of: "room").isEmpty)
        #expect(JazzyServer().memberCount(of: "room") == 0)
    }

    @Test("An info may be a text or a value, and who has no key gets one")
    func infos() throws {
        try withServer(routes: Self.rooms) { server in
            let clients = try ["/text", "/json", "/json"].map { try TestClient(port: server.port, path: $0) }
            try eventually("all are there") {
                server.memberCount(of: "text") == 1 && server.memberCount(of: "json") == 2
            }
            #expect(server.members(of: "text").map(\.text) == ["Ada"])
            let members = server.members(of: "json")
            #expect(
                try members.map { try $0.decode(Info.self) } == [
                    Info(name: "Ada", score: 7), Info(name: "Ada", score: 7),
                ])
            #expect(members[0].text == #"{"name":"Ada","score":7}"#)
            #expect(Set(members.map(\.key)).count == 2)
            #expect(members.allSatisfy { $0.key.count == 32 })
            for client in clients { client.reset() }
        }
    }

    @Test("Who comes and who leaves is told, and adds up to who is there")
    func changes() throws {
        let told = Mutex<(joined: [String], left: [String])>(([], []))
        let rooms = Mutex<[String]>([])
        try withServer(options: TopicTests.twoLoops) { server in
            Self.rooms(server)
            server.onPresence("room") { joined, left in
                told.withLock {
                    $0.joined += joined.map(\.key)
                    $0.left += left.map(\.key)
                }
            }
            server.onPresence(prefix: "") { change, server in
                rooms.withLock { $0.append("\(change.topic) \(change.memberCount)") }
                server.publish(change.topic, "\(change.joined.count) \(change.left.count)")
            }
        } body: { server in
            // What is told of a member may come before the answer to it.
            let ada = try TestClient(port: server.port, path: "/?key=ada")
            let both = try Set([ada.receiveText(), ada.receiveText()])
            #expect(both == ["sent", "1 0"])
            let grace = try TestClient(port: server.port, path: "/?key=grace")
            #expect(try ada.receiveText() == "1 0")
            grace.reset()
            #expect(try ada.receiveText() == "0 1")
            #expect(told.withLock { $0.joined } == ["ada", "grace"])
            #expect(told.withLock { $0.left } == ["grace"])
        }
        #expect(told.withLock { $0.left } == ["grace", "ada"], "when the server has ended, all have left")
        #expect(rooms.withLock { $0 } == ["room 1", "room 2", "room 1", "room 0"])
    }

    @Test("A sequence of changes begins with who is there, and ends with the server")
    func sequence() async throws {
        let server = JazzyServer(options: TopicTests.twoLoops)
        Self.rooms(server)
        try server.start(host: "127.0.0.1", port: 0)
        let ada = try Self.join(server, key: "ada")
        var known: Set<String> = []
        var clients: [TestClient] = [ada]
        for await change in server.presence(of: "room") {
            known.formUnion(change.joined.map(\.key))
            known.subtract(change.left.map(\.key))
            #expect(known.count == change.memberCount)
            // Of two that leave when their server stops, either may be the first.
            if known == ["ada"], clients.count == 1 {
                clients.append(try Self.join(server, key: "grace"))
            } else if known == ["ada", "grace"] {
                server.stop()
                for client in clients { client.reset() }
            } else if known.isEmpty {
                break
            }
        }
        #expect(known.isEmpty)
        await server.waitForEnd()
        for await _ in server.presence(of: "room") { Issue.record("a server that has ended tells nothing") }
    }

    @Test("A task that is cancelled iterates no more")
    func cancellation() async throws {
        let server = JazzyServer()
        Self.rooms(server)
        try server.start(host: "127.0.0.1", port: 0)
        let task = Task {
            var count = 0
            for await _ in server.presence(of: "room") { count += 1 }
            return count
        }
        task.cancel()
        #expect(await task.value == 0)
        server.stop()
        await server.waitForEnd()
    }

    @Test("What exceeds a limit is refused, by the option's name in Swift")
    func limits() throws {
        var options = JazzyOptions()
        options.maxMembers = 1
        options.maxMemberInfo = 3
        try withServer(options: options, routes: Self.rooms) { server in
            let ada = try Self.join(server, key: "ada", info: "abc")
            let cases = [
                ("key=grace", "option maxMembers allows"), ("key=ada&info=abcd", "option maxMemberInfo is 3"),
                ("key=\(String(repeating: "k", count: 257))", "the key of a member has 257 bytes"),
            ]
            for (query, words) in cases {
                let client = try TestClient(port: server.port, path: "/?\(query)")
                let answer = try client.receiveText()
                #expect(answer.contains(words), "\(answer)")
            }
            #expect(server.members(of: "room") == [JazzyMember(key: "ada", info: "abc")])
            ada.reset()
        }
    }
}

import JazzySwift
import Synchronization
import Testing

@Suite("Members through a broker in Swift", .ownThreads)
struct BrokerMemberTests {
    private static let hidden = "\u{FFFF}jazzy.presence"

    private static func started(_ board: Switchboard) throws -> JazzyServer {
        let server = BrokerTests.server(.switchboard(board))
        server.ws("/room") { ws, event, _ in
            guard event == .open, let key = ws.request?.queryValue("key") else { return }
            try ws.subscribe("Räume/1", as: JazzyMember(key: key, info: key + "!"))
            ws.send("welcome")
        }
        try server.start(host: "127.0.0.1", port: 0)
        return server
    }

    private static func join(_ server: JazzyServer, _ key: String) throws -> TestClient {
        let client = try TestClient(port: server.port, path: "/room?key=\(key)")
        #expect(try client.receiveText() == "welcome")
        return client
    }

    private static func keys(_ server: JazzyServer) -> Set<String> { Set(server.members(of: "Räume/1").map(\.key)) }

    @Test("Members are those of all servers", arguments: [JazzyBrokerOrdering.localFirst, .ordered])
    func everywhere(ordering: JazzyBrokerOrdering) throws {
        let board = Switchboard(ordering)
        let servers = try (0..<3).map { _ in try Self.started(board) }
        defer { for server in servers { server.stop(); server.wait() } }
        let ada = try Self.join(servers[0], "ada")
        let grace = try Self.join(servers[1], "grace")
        for server in servers {
            try eventually("all are there") { Self.keys(server) == ["ada", "grace"] }
        }
        let infos = servers[2].members(of: "Räume/1").map(\.text)
        #expect(Set(infos) == ["ada!", "grace!"])
        #expect(servers[2].statistics.presence.membersElsewhere == 2)
        #expect(servers[2].statistics.presence.servers == 2)
        for line in board.lines {
            #expect(line.topics.withLock { $0 }.isSuperset(of: [Self.hidden, Self.hidden + ":Räume/1"]))
        }
        grace.reset()
        for server in servers {
            try eventually("one has left") { Self.keys(server) == ["ada"] }
        }
        ada.reset()
        for server in servers {
            try eventually("all have left") { Self.keys(server).isEmpty }
        }
    }

    @Test("Who was missed is asked for again when the broker says so")
    func missed() throws {
        let board = Switchboard()
        let servers = try (0..<2).map { _ in try Self.started(board) }
        defer { for server in servers { server.stop(); server.wait() } }
        let ada = try Self.join(servers[0], "ada")
        try eventually("all are there") { Self.keys(servers[1]) == ["ada"] }
        let lines = board.lines
        lines[0].lost.withLock { $0 = [] }
        let grace = try Self.join(servers[0], "grace")
        try eventually("it is lost") { lines[0].lost.withLock { $0?.contains(Self.hidden + ":Räume/1") == true } }
        lines[0].lost.withLock { $0 = nil }
        lines[1].server.missed(Self.hidden + ":Räume/1")
        try eventually("all are there") { Self.keys(servers[1]) == ["ada", "grace"] }
        for client in [ada, grace] { client.reset() }
    }

    @Test("What an application publishes to a topic of the same name is a message, and no server's word")
    func forged() throws {
        let board = Switchboard()
        let servers = (0..<2).map { _ in BrokerTests.server(.switchboard(board)) }
        defer { for server in servers { server.stop(); server.wait() } }
        for server in servers {
            server.ws("/forger") { ws, event, _ in
                guard event == .open else { return }
                ws.subscribe(Self.hidden)
                try ws.subscribe("hall", as: JazzyMember(key: "ada", info: ""))
                ws.send("welcome")
            }
            try server.start(host: "127.0.0.1", port: 0)
        }
        let clients = try servers.map { try TestClient(port: $0.port, path: "/forger") }
        for client in clients { #expect(try client.receiveText() == "welcome") }
        try eventually("servers hear each other") { servers.allSatisfy { $0.statistics.presence.servers == 1 } }
        servers[0].publish(Self.hidden, "I am a server")
        for client in clients { #expect(try client.receiveText() == "I am a server") }
        for server in servers { #expect(server.statistics.presence.malformed == 0) }
        for client in clients { client.reset() }
    }
}

import JazzySwift
import JazzyTesting
import Testing

@Suite("Histories that a broker keeps", .ownThreads)
struct SharedHistoryTests {
    static func options(_ board: KeepingSwitchboard) -> JazzyOptions {
        var options = TopicTests.twoLoops
        options.broker = .keeping(board)
        return options
    }

    static func announcement(_ offset: Int, _ recovered: Bool, _ count: Int) -> String {
        #"{"epoch":"000000000000feed","offset":\#(offset),"recovered":\#(recovered),"count":\#(count)}"#
    }

    @Test("A client continues on another server")
    func anotherServer() throws {
        let board = KeepingSwitchboard()
        func feed(_ server: JazzyServer) {
            server.history("feed", keep: 10, for: .seconds(60))
            server.resumable("/feed", topic: "feed")
        }
        try withServer(options: Self.options(board), routes: feed) { one in
            try withServer(options: Self.options(board), routes: feed) { other in
                let first = try ResumableTests.connect(to: one, "/feed")
                #expect(try first.receiveText() == Self.announcement(0, false, 0))
                #expect(one.publish("feed", "one") == .sent)
                #expect(other.publish("feed", "two") == .sent)
                #expect(try HistoryTests.receive(2, from: first) == ["one", "two"])
                first.reset()
                #expect(one.publish("feed", "three") == .sent)
                let second = try ResumableTests.connect(to: other, "/feed?since=000000000000feed:1")
                #expect(try second.receiveText() == Self.announcement(1, true, 2))
                #expect(try HistoryTests.receive(2, from: second) == ["two", "three"])
                let fetches = board.fetches
                for _ in 1...3 {
                    let third = try ResumableTests.connect(to: other, "/feed?since=000000000000feed:2")
                    #expect(try third.receiveText() == Self.announcement(2, true, 1))
                    #expect(try third.receiveText() == "three")
                }
                #expect(board.fetches == fetches)
                #expect(other.recent("feed", 2).messages.map(\.text) == ["two", "three"])
                #expect(other.recent("feed", 0).position == JazzyPosition(epoch: 0xFEED, offset: 3))
            }
        }
    }

    @Test("A subscription says that it is pending, and its client how it begins")
    func pending() throws {
        let board = KeepingSwitchboard()
        try withServer(options: Self.options(board)) { server in
            server.history("feed", keep: 10, for: .seconds(60))
            server.ws("/") { ws, event, _ in
                guard event == .open else { return }
                let result = ws.subscribe("feed", since: JazzyPosition(epoch: 0xFEED, offset: 0), announcing: true)
                ws.send("\(result.status) \(result.isPending) \(result.position.offset)")
            }
        } body: { server in
            #expect(server.publish("feed", "one") == .sent)
            #expect(server.recent("feed", 5).messages.isEmpty)
            var clients: [TestClient] = []
            for answer in ["queued true 0", "sent false 0"] {
                let client = try TestClient(port: server.port, path: "/")
                #expect(try HistoryTests.receive(3, from: client) == [Self.announcement(0, true, 1), "one", answer])
                clients.append(client)  // the topic stays known
            }
        }
    }

    @Test("What the broker does not take nobody gets, and who comes then does not recover")
    func unreached() throws {
        let board = KeepingSwitchboard()
        try withServer(options: Self.options(board)) { server in
            server.history("feed", keep: 10, for: .seconds(60))
            server.resumable("/feed", topic: "feed")
        } body: { server in
            board.setReached(false)
            #expect(server.publish("feed", "refused") == .dropped)
            let client = try ResumableTests.connect(to: server, "/feed?since=000000000000feed:0")
            #expect(
                try client.receiveText()
                    == #"{"epoch":"0000000000000000","offset":0,"recovered":false,"count":0}"#)
            board.setReached(true)
            #expect(server.publish("feed", "one") == .sent)
            #expect(try client.receiveText() == "one")
        }
    }

    @Test("A broker that keeps no histories is none for a server with some")
    func refusal() throws {
        var options = JazzyOptions()
        options.broker = .switchboard(Switchboard())
        let server = JazzyServer(options: options)
        server.history("room/", keep: 5, for: .seconds(60))
        let error = #expect(throws: JazzyError.self) { try server.listen(host: "127.0.0.1") }
        #expect(error?.code == .invalidOption)
        #expect(error?.message.hasPrefix("a history of \"room/\" and this broker cannot be together") == true)
    }
}

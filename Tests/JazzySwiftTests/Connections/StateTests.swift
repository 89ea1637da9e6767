import JazzySwift
import Testing

@Suite("The state of a connection", .ownThreads)
struct StateTests {
    struct Player: Equatable, Sendable {
        var name = "nobody"
        var words: [String] = []
    }

    static let executions = [JazzyExecution.loop, .workers]

    @Test("A state that was set at open is there in every later event", arguments: executions)
    func setAtOpen(execution: JazzyExecution) throws {
        let last = Recorder<Player>()
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(execution: execution)) { ws, event, message in
                switch event {
                case .open: #expect(ws.setState(Player(name: "Ada")))
                case .message:
                    let text = message.text
                    let count = ws.withState { (player: inout Player) in
                        player.words.append(text)
                        return player.words.count
                    }
                    ws.send("\(count ?? -1)")
                case .close: ws.withState(as: Player.self) { last.record($0) }
                case .error: break
                }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            for (number, word) in ["one", "two", "three"].enumerated() {
                try client.send(word)
                #expect(try client.receiveText() == "\(number + 1)")
            }
            try client.sendClose(code: 1000)
            #expect(try last.values(count: 1) == [Player(name: "Ada", words: ["one", "two", "three"])])
        }
    }

    @Test("A route may give each connection a state of its own, as `ws.state`", arguments: executions)
    func stateOfRoute(execution: JazzyExecution) throws {
        let last = Recorder<Player>()
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(execution: execution), state: { Player() }) { ws, event, message in
                switch event {
                case .open: ws.state.name = ws.remoteAddress ?? "nobody"
                case .message:
                    ws.state.words.append(message.text)
                    ws.send(ws.state.words.joined(separator: " "))
                case .close: last.record(ws.state)
                case .error: break
                }
            }
        } body: { server in
            let (first, second) = (
                try TestClient(port: server.port, path: "/"), try TestClient(port: server.port, path: "/")
            )
            try first.send("one")
            #expect(try first.receiveText() == "one")
            try second.send("two")
            #expect(try second.receiveText() == "two")
            try first.send("three")
            #expect(try first.receiveText() == "one three")
            try first.sendClose(code: 1000)
            #expect(try last.values(count: 1) == [Player(name: first.localAddress, words: ["one", "three"])])
        }
    }

    @Test("Setting another state releases the one before it at once, also one of another type", arguments: executions)
    func replace(execution: JazzyExecution) throws {
        let journal = Recorder<String>()
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(execution: execution)) { ws, event, message in
                guard event == .message else { return }
                let text = message.text
                if text == "number" {
                    #expect(ws.setState(7))
                } else {
                    #expect(ws.setState(Tracked { journal.record("\(text) ends") }))
                }
                journal.record("\(text) set")
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            for text in ["first", "second", "number", "third"] { try client.send(text) }
            try client.sendClose(code: 1000)
            #expect(
                try journal.values(count: 7) == [
                    "first set", "first ends", "second set", "second ends", "number set", "third set", "third ends",
                ])
        }
    }

    @Test("A state may be replaced while it is used, and is released afterwards")
    func replaceWhileUsed() throws {
        let journal = Recorder<String>()
        try withServer {
            $0.ws("/") { ws, event, _ in
                guard event == .open else { return }
                ws.setState(Tracked { journal.record("released") })
                ws.withState(as: Tracked.self) { _ in
                    ws.setState("another")
                    journal.record("replaced")
                }
                journal.record(ws.withState(as: String.self) { $0 } ?? "none")
            }
        } body: { server in
            _ = try TestClient(port: server.port, path: "/")
            #expect(try journal.values(count: 3) == ["replaced", "released", "another"])
        }
    }

    @Test("Where no state of that type is, there is none")
    func otherType() throws {
        let seen = Recorder<[Bool]>()
        try withServer {
            $0.ws("/") { ws, event, _ in
                guard event == .open else { return }
                let before = ws.withState(as: Int.self) { _ in true } ?? false
                ws.setState(7)
                seen.record([
                    before, ws.withState(as: Int.self) { _ in true } ?? false,
                    ws.withState(as: Int8.self) { _ in true } ?? false,
                    ws.withState(as: Int?.self) { _ in true } ?? false,
                    ws.withState(as: Any.self) { _ in true } ?? false,
                ])
            }
        } body: { server in
            _ = try TestClient(port: server.port, path: "/")
            #expect(try seen.values(count: 1) == [[false, true, false, false, false]])
        }
    }

    @Test("The state of a route is neither seen nor replaced by its handle")
    func stateOfRouteByHandle() throws {
        let seen = Recorder<String>()
        try withServer {
            $0.ws("/", state: { 7 }) { ws, event, _ in
                guard event == .open else { return }
                let isSeen = ws.webSocket.withState(as: Int.self) { _ in true } ?? false
                let isReplaced = ws.webSocket.setState(8)
                seen.record("\(isSeen) \(isReplaced) \(ws.state)")
            }
        } body: { server in
            _ = try TestClient(port: server.port, path: "/")
            #expect(try seen.values(count: 1) == ["false false 7"])
        }
    }

    @Test("Elsewhere than in handlers there is no state, and none can be set", arguments: executions)
    func otherThread(execution: JazzyExecution) throws {
        let opened = Recorder<JazzyWebSocket>()
        let released = Recorder<String>()
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(execution: execution)) { ws, event, _ in
                guard event == .open else { return }
                ws.setState(7)
                opened.record(ws)
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            let ws = try opened.values(count: 1)[0]
            #expect(ws.withState(as: Int.self) { $0 } == nil)
            #expect(!ws.setState(Tracked { released.record("here") }))
            #expect(released.values == ["here"])
            try client.sendClose(code: 1000)
            try eventually("the connection is gone") { ws.remoteAddress == nil }
            #expect(!ws.setState(7))
        }
    }

    @Test(
        "A handler reaches the state of another connection on its loop, unless that runs on workers",
        arguments: [(JazzyExecution.loop, "7"), (.workers, "none")])
    func otherConnection(execution: JazzyExecution, answer: String) throws {
        let opened = Recorder<JazzyWebSocket>()
        var options = JazzyOptions()
        options.threads = 1
        try withServer(options: options) {
            $0.ws("/one", options: JazzyRouteOptions(execution: execution)) { ws, event, _ in
                guard event == .open else { return }
                ws.setState(7)
                opened.record(ws)
            }
            $0.ws("/another") { ws, event, _ in
                guard event == .open, let one = opened.values.first else { return }
                ws.send(one.withState(as: Int.self) { "\($0)" } ?? "none")
            }
        } body: { server in
            let one = try TestClient(port: server.port, path: "/one")
            _ = try opened.values(count: 1)
            #expect(try TestClient(port: server.port, path: "/another").receiveText() == answer)
            try one.sendClose(code: 1000)
        }
    }

    @Test("What the closure throws is thrown, and what it changed before is kept")
    func throwing() throws {
        struct Mishap: Error {}
        try withServer {
            $0.ws("/") { ws, event, _ in
                guard event == .open else { return }
                ws.setState(1)
                #expect(throws: Mishap.self) {
                    try ws.withState(as: Int.self) { number in
                        number += 1
                        throw Mishap()
                    }
                }
                ws.send("\(ws.withState(as: Int.self) { $0 } ?? 0)")
            }
        } body: { server in
            let text = try TestClient(port: server.port, path: "/").receiveText()
            #expect(text == "2")
        }
    }
}

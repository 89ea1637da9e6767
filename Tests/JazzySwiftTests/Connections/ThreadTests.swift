import JazzySwift
import Synchronization
import Testing

@Suite("Handles on many threads", .ownThreads)
struct ThreadTests {
    static let executions = [JazzyExecution.loop, .workers]

    /// Everything that can be done with a handle, from another thread.
    static func use(_ ws: JazzyWebSocket, _ number: Int) {
        switch number % 10 {
        case 0: ws.send("text")
        case 1: ws.send([1, 2, 3])
        case 2: ws.subscribe("topic/\(number % 3)")
        case 3: ws.unsubscribe("topic/\(number % 3)")
        case 4: ws.publish("topic/\(number % 3)", "text")
        case 5: #expect(ws.topics.allSatisfy { $0.hasPrefix("topic/") })
        case 6: #expect(ws.withState(as: Tracked.self) { _ in true } == nil)
        case 7: #expect(!ws.setState(1))
        case 8: #expect(ws.bufferedAmount >= 0)
        default: #expect(ws.remoteAddress?.hasPrefix("127.0.0.1:") ?? true)
        }
    }

    @Test("Eight threads use handles of connections that come and go, and of those long gone", arguments: executions)
    func storm(execution: JazzyExecution) throws {
        let (opens, closes) = (Recorder<JazzyWebSocket>(), Recorder<JazzyWebSocket>())
        let releases = Atomic(0)
        let connections = 100
        var options = JazzyOptions()
        options.threads = 2
        try withServer(options: options) {
            $0.ws("/", options: JazzyRouteOptions(execution: execution)) { ws, event, _ in
                switch event {
                case .open:
                    ws.setState(Tracked { releases.add(1, ordering: .relaxed) })
                    ws.subscribe("topic/0")
                    opens.record(ws)
                case .close: closes.record(ws)
                case .message, .error: break
                }
            }
        } body: { server in
            let isOver = Atomic(false)
            let users = (0..<8).map { user in
                BackgroundThread {
                    var number = user
                    while !isOver.load(ordering: .relaxed) {
                        let handles = opens.values
                        guard let ws = handles.isEmpty ? nil : handles[number % handles.count] else { continue }
                        Self.use(ws, number)
                        if number % 97 == 0 { ws.close(code: 3_000) }
                        if number % 13 == 0 { server.publish("topic/\(number % 3)", "to all") }
                        number += 7
                    }
                }
            }
            for number in 1...connections {
                let client = try TestClient(port: server.port, path: "/")
                try? client.send("hello")
                if number % 3 == 0 { client.reset() }
            }
            try eventually("every connection has ended") { closes.values.count == connections }
            isOver.store(true, ordering: .relaxed)
            for user in users { try user.wait() }
            // A connection leaves its topics behind its close event.
            try eventually("nobody is subscribed any more") { server.subscriberCount("topic/0") == 0 }
        }
        #expect(opens.values.count == connections)
        #expect(Set(opens.values).count == connections)
        #expect(closes.values.count == connections)
        #expect(Set(closes.values) == Set(opens.values))
        #expect(releases.load(ordering: .relaxed) == connections)
    }
}

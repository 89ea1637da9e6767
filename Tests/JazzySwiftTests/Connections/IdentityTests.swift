import JazzySwift
import Testing

@Suite("Identities of connections", .ownThreads)
struct IdentityTests {
    @Test("A connection has one number in all of its events and on other threads, and no other has it")
    func id() throws {
        let ids = Recorder<UInt64>()
        let opened = Recorder<JazzyWebSocket>()
        func routes(_ server: JazzyServer) {
            server.ws("/plain") { ws, event, _ in
                ids.record(ws.id)
                if event == .open { opened.record(ws) }
            }
            server.ws("/stateful", state: { 0 }) { ws, event, _ in
                ids.record(ws.id)
                if event == .open { opened.record(ws.webSocket) }
            }
        }
        func use(_ server: JazzyServer) throws {
            for path in ["/plain", "/stateful", "/plain"] {
                let seen = ids.values.count
                let client = try TestClient(port: server.port, path: path)
                try client.send("message")
                try client.sendClose(code: 1000)
                _ = try client.receive()
                let three = try ids.values(count: seen + 3).suffix(3)
                #expect(Set(three).count == 1)
            }
        }
        try withServer(routes: routes) { first in
            try use(first)
            try withServer(routes: routes, body: use)
        }
        #expect(opened.values.map(\.id) == stride(from: 0, to: ids.values.count, by: 3).map { ids.values[$0] })
        #expect(Set(ids.values).count == 6)
        #expect(!ids.values.contains(0))
        #expect(Dictionary(grouping: opened.values, by: \.id).count == 6)
    }

    @Test("Its description names that number")
    func description() throws {
        let descriptions = Recorder<[String]>()
        try withServer {
            $0.ws("/plain") { ws, event, _ in
                if event == .open { descriptions.record(["connection \(ws.id)", ws.description, "\(ws)"]) }
            }
            $0.ws("/stateful", state: { 0 }) { ws, event, _ in
                if event == .open {
                    descriptions.record(["connection \(ws.id)", ws.description, "\(ws.webSocket)"])
                }
            }
        } body: { server in
            for (number, path) in ["/plain", "/stateful"].enumerated() {
                _ = try TestClient(port: server.port, path: path)
                #expect(Set(try descriptions.values(count: number + 1)[number]).count == 1)
            }
        }
    }
}

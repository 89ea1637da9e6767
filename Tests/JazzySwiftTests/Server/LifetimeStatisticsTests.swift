import JazzySwift
import Testing

@Suite("Statistics of all runs of a server", .ownThreads)
struct LifetimeStatisticsTests {
    @Test("Counts go on where they were when the server stopped, and what is true only now does not")
    func restarted() throws {
        let server = JazzyServer()
        server.ws("/") { ws, event, message in if event == .message { ws.send(message.bytes, kind: message.kind) } }
        for run in 1...3 {
            #expect(server.lifetimeStatistics.webSocketsTotal == run - 1)
            try server.start(host: "127.0.0.1", port: 0)
            let client = try TestClient(port: server.port, path: "/")
            try client.send("four")
            #expect(try client.receiveText() == "four")
            #expect(try TestHandshake(port: server.port, path: "/nowhere").receiveStatus() == 404)
            #expect(server.lifetimeStatistics.webSockets == 1)
            server.stop()
            #expect(try client.receiveClose() == 1001)
            server.wait()
            server.wait()
            let statistics = server.lifetimeStatistics
            #expect((statistics.webSocketsTotal, statistics.connectionsTotal) == (run, 2 * run))
            #expect((statistics.messagesReceived.text, statistics.bytesSent.text) == (run, 4 * run))
            #expect((statistics.refused(for: .notFound), statistics.closes(code: 1001)) == (run, run))
            #expect(statistics.closes(cause: .stopping) == run)
            #expect((statistics.webSockets, statistics.connections, statistics.lag) == (0, 0, .zero))
            #expect(server.statistics == JazzyStatistics())
        }
    }
}

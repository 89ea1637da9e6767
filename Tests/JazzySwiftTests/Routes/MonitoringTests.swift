import JazzySwift
import Testing

@Suite("Metrics and health", .ownThreads)
struct MonitoringTests {
    @Test("The page with the metrics has what the statistics have")
    func metrics() throws {
        try withServer {
            $0.ws("/echo") { ws, event, message in
                if event == .message { ws.send(message.text) }
            }
            $0.metrics("/metrics")
        } body: { server in
            let client = try TestClient(port: server.port, path: "/echo")
            try client.send("Hello")
            #expect(try client.receive().payload == Array("Hello".utf8))
            let page = try TestPage(port: server.port, path: "/metrics")
            #expect(page.contentType == "text/plain; version=0.0.4; charset=utf-8")
            let lines = String(decoding: page.body, as: UTF8.self).split(separator: "\n")
            #expect(lines.contains("jazzy_websockets 1"))
            #expect(lines.contains("jazzy_messages_received_total{kind=\"text\"} 1"))
            #expect(lines.contains("jazzy_received_bytes_total{kind=\"text\"} 5"))
            #expect(lines.contains("jazzy_sent_bytes_total{kind=\"text\"} 5"))
            #expect(server.statistics.bytesSent.text == 5)
        }
    }

    static let audiences: [(JazzyAudience, admitted: [String], keptOut: [String])] = [
        (.everyone, ["localhost", "jazzy.example", "token.example"], []),
        (.loopback, ["localhost", "127.0.0.1:80"], ["jazzy.example", "token.example"]),
        (.loopback(or: knowsToken), ["localhost", "token.example"], ["jazzy.example"]),
        (.clients(where: knowsToken), ["token.example"], ["localhost", "jazzy.example"]),
    ]

    private static let knowsToken: JazzyAudience.Hook = { request in
        request.header("Host") == "token.example" && !request.isFromLoopback && request.path == "/metrics"
            && request.route == "/metrics"
    }

    @Test("Metrics are for those who may read them", arguments: audiences)
    func audience(_ audience: JazzyAudience, admitted: [String], keptOut: [String]) throws {
        try withServer {
            $0.metrics(for: audience)
        } body: { server in
            for host in admitted {
                #expect(try TestPage(port: server.port, path: "/metrics", host: host).head.hasPrefix("HTTP/1.1 200 "))
            }
            for host in keptOut {
                let page = try TestPage(port: server.port, path: "/metrics", host: host)
                #expect(page.head.hasPrefix("HTTP/1.1 403 "))
                #expect(String(decoding: page.body, as: UTF8.self).hasPrefix("Forbidden: this page is "))
            }
            #expect(server.statistics.refused(for: .rejected) == keptOut.count)
        }
    }

    @Test("A server that runs is alive and ready", arguments: ["/health", "/health/live", "/health/ready"])
    func health(path: String) throws {
        try withServer {
            $0.health()
        } body: { server in
            let page = try TestPage(port: server.port, path: path)
            #expect(page.head.hasPrefix("HTTP/1.1 200 "))
            #expect(page.contentType == "application/json")
            #expect(page.body == Array(#"{"state":"running","live":true,"ready":true}"#.utf8) + [10])
        }
    }

    @Test("The paths are checked", arguments: ["health", "/a b", "/\0"])
    func errors(path: String) {
        for add in [{ $0.metrics(path) }, { $0.health(path) }] as [(JazzyServer) -> Void] {
            let server = JazzyServer()
            add(server)
            let error = #expect(throws: JazzyError.self) { try server.start(host: "127.0.0.1", port: 0) }
            #expect(error?.code == .invalidRoute)
        }
    }
}

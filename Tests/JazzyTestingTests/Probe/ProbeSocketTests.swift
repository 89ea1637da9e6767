import JazzySwift
import JazzyTesting
import Testing

@Suite("Probes have no sockets")
struct ProbeSocketTests {
    #if os(Linux) && (arch(x86_64) || arch(arm64))
        // In processes of their own: other tests, which run meanwhile, have sockets.

        @Test("While a hundred probes are open, of one server and of many, there is no socket more")
        func noneIsOpened() async {
            await #expect(processExitsWith: .success) {
                let before = try socketCount()
                let server = Self.echoServer()
                let probes = (0..<100).map { JazzyProbe($0 < 70 ? server : Self.echoServer()) }
                for probe in probes {
                    try await probe.open()
                    try await probe.text("hello")
                }
                #expect(try socketCount() == before)
                #expect(probes.allSatisfy { $0.isOpen && $0.sent == ["hello"] && $0.server.port == 0 })
            }
        }

        @Test("They work where sockets are forbidden")
        func noneIsNeeded() async {
            await #expect(processExitsWith: .success) {
                try forbidSockets()
                #expect(socketsAreForbidden())
                let probe = JazzyProbe(Self.echoServer())
                try await probe.open()
                try await probe.text("hello")
                try await probe.binary([1, 2, 3])
                #expect(probe.sent == ["hello", WsOwnedMessage([1, 2, 3])])
                try await probe.close()
                #expect(probe.closed?.wasClean == true)
            }
        }
    #endif

    private static func echoServer() -> JazzyServer {
        let server = JazzyServer()
        server.ws("/") { ws, event, message in
            guard event == .message, message.kind == .text || message.kind == .binary else { return }
            ws.send(message.bytes, kind: message.kind)
        }
        return server
    }

    @Test("Their address is that of this machine, by which they are limited")
    func address() async throws {
        var options = JazzyOptions()
        options.maxConnectionsPerAddress = 1
        let server = JazzyServer(options: options)
        server.ws("/") { ws, event, _ in if event == .open { ws.send(ws.remoteAddress ?? "none") } }
        let probe = JazzyProbe(server)
        try await probe.open()
        #expect(probe.sent == ["127.0.0.1:0"])

        let error = await #expect(throws: JazzyError.self) { try await JazzyProbe(server).open() }
        #expect(error?.code == .limitReached)
        #expect(error?.message.contains("max_connections_per_address") == true)
    }

    @Test("A server that was stopped, or that drains, takes no further probe, and says so")
    func ending() async throws {
        let server = Self.echoServer()
        let probe = JazzyProbe(server)
        try await probe.open()
        server.drain(deadline: .never)
        let error = await #expect(throws: JazzyError.self) { try await JazzyProbe(server).open() }
        #expect(error?.code == .invalidState)
        try await probe.close()
    }
}

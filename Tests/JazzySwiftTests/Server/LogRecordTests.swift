import JazzySwift
import Testing

@Suite("Records of the log", .ownThreads)
struct LogRecordTests {
    struct Mishap: Error {}

    /// Options with a log that gets records, and keeps them; where the server listens is none of them.
    static func options(_ records: Recorder<JazzyLogRecord>) -> JazzyOptions {
        var options = JazzyOptions()
        options.threads = 1
        options.log = { _, line in Issue.record("a log that gets records gets no lines: \(line)") }
        options.logRecord = { record in
            if !record.message.hasPrefix("listens on ") { records.record(record) }
        }
        return options
    }

    @Test("Each line comes with what it is about")
    func contents() throws {
        let records = Recorder<JazzyLogRecord>()
        var addresses: [String] = []
        try withServer(options: Self.options(records)) {
            let hook: JazzyUpgradeHook = { request in
                if request.path == "/rooms/0" { throw Mishap() }
                return .accept()
            }
            $0.ws("/rooms/:id", upgrade: hook) { _, event, _ in
                if event == .message { throw Mishap() }
            }
        } body: { server in
            let handshake = try TestHandshake(port: server.port, path: "/nowhere")
            #expect(try handshake.receiveStatus() == 404)
            addresses.append(handshake.socket.localAddress)
            let origin = try TestHandshake(
                port: server.port, path: "/rooms/1", headers: ["Origin": "https://else\u{202E}where"])
            #expect(try origin.receiveStatus() == 403)
            addresses.append(origin.socket.localAddress)
            let thrown = try TestHandshake(port: server.port, path: "/rooms/0")
            #expect(try thrown.receiveStatus() == 500)
            addresses.append(thrown.socket.localAddress)
            for bytes: [UInt8] in [[0x81, 0x80, 0, 0, 0, 0], [0x81, 0x01, 0x41]] {
                let client = try TestClient(port: server.port, path: "/rooms/7")
                addresses.append(client.localAddress)
                try client.sendRaw(bytes)
                _ = try client.receiveClose()
            }
            server.ws("/late\n") { _, _, _ in }
            _ = try records.values(count: 7)
        }
        let found = records.values
        try #require(found.count == 7)
        #expect(
            found[0]
                == JazzyLogRecord(
                    level: .info, message: "refused: there is no route with this path", isPeersFault: true,
                    address: addresses[0], cause: "not_found"))
        #expect(found[1].message.contains("a page of the origin \"https://else\\u{202E}where\" may not use the route"))
        #expect((found[1].level, found[1].isPeersFault) == (.warning, false))
        #expect((found[1].address, found[1].route) == (addresses[1], "/rooms/:id"))
        #expect((found[1].origin, found[1].cause) == (#"https://else\u{202E}where"#, "origin"))
        #expect(
            found[2]
                == JazzyLogRecord(
                    level: .error, message: "the upgrade hook of /rooms/:id threw Mishap", address: addresses[2],
                    route: "/rooms/:id", cause: "Mishap"))
        #expect(found[3].cause == "rejected")
        #expect(
            found[4]
                == JazzyLogRecord(
                    level: .error, message: "the handler of /rooms/:id threw Mishap", address: addresses[3],
                    route: "/rooms/:id", cause: "Mishap"))
        #expect(
            found[5]
                == JazzyLogRecord(
                    level: .info, message: "failed: the frame is not masked", isPeersFault: true,
                    address: addresses[4], route: "/rooms/:id", cause: WsError.Rule.notMasked.name))
        #expect(found[6].level == .warning)
        #expect((found[6].address, found[6].route) == (nil, #"/late\n"#))
    }

    @Test("What a handler tells has its route on the event loop")
    func told() throws {
        let records = Recorder<JazzyLogRecord>()
        try withServer(options: Self.options(records)) {
            $0.ws("/told") { ws, event, _ in if event == .open { ws.log(.info, "told") } }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/told")
            let record = JazzyLogRecord(level: .info, message: "told", address: client.localAddress, route: "/told")
            #expect(try records.values(count: 1) == [record])
        }
    }

    @Test("Every reason, rule and cause has a word of its own")
    func names() {
        for names in [
            JazzyRefusal.allCases.map(\.name), WsError.Rule.allCases.map(\.name), WsClose.Cause.allCases.map(\.name),
        ] {
            #expect(Set(names).count == names.count)
            #expect(names.allSatisfy { name in name.allSatisfy { $0 == "_" || $0.isLowercase || $0.isNumber } })
        }
        #expect(JazzyRefusal.connectionsPerAddress.name == "connections_per_address")
        #expect(WsError.Rule.invalidUTF8.name == "invalid_utf8")
        #expect(WsClose.Cause.backpressure.name == "backpressure")
    }
}

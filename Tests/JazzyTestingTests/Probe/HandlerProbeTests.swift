import Foundation
import JazzySwift
import JazzyTesting
import Testing

@Suite("A probe of a handler that is called")
struct HandlerProbeTests {
    @Test("What it sends is there when a message was handled", arguments: [JazzyExecution.loop, .workers])
    func sending(execution: JazzyExecution) async throws {
        let probe = JazzyProbe(options: JazzyRouteOptions(execution: execution)) { ws, event, message in
            if event == .open { ws.send("welcome") }
            guard event == .message, message.kind == .text || message.kind == .binary else { return }
            ws.send(message.bytes, kind: message.kind)
        }
        try await probe.open()
        #expect(probe.sent == ["welcome"])
        try await probe.text("one")
        #expect(probe.sent == ["welcome", "one"])
        try await probe.binary([0, 0xFF])
        #expect(probe.sent == ["welcome", "one", WsOwnedMessage([0, 0xFF])])
        #expect(probe.isOpen)
        #expect(probe.response?.status == 101)
    }

    @Test("Its topics and what it publishes are there, and what others publish comes to it")
    func topics() async throws {
        let probe = JazzyProbe { ws, event, message in
            if event == .open { ws.subscribe("news") }
            guard event == .message, message.kind == .text else { return }
            if message.text == "leave" { ws.unsubscribe("news") } else { ws.publish("news", message.text) }
        }
        try await probe.open()
        #expect(probe.topics == ["news"])
        try await probe.text("It rains.")
        #expect(probe.published == [JazzyPublication("news", "It rains.")])
        #expect(probe.sent == [], "it does not get what it publishes")
        probe.server.publish("news", [1, 2])
        try await probe.settle()
        #expect(probe.published.last == JazzyPublication("news", WsOwnedMessage([1, 2])))
        #expect(probe.sent == [WsOwnedMessage([1, 2])])
        try await probe.text("leave")
        #expect(probe.topics == [])
    }

    @Test("Probes of one server meet each other")
    func meeting() async throws {
        let server = JazzyServer()
        server.ws(
            "/room/:id", upgrade: { .accept(state: "\($0.cookie("user") ?? "?") in \($0.parameters["id"] ?? "?")") }
        ) {
            ws, event, message in
            let name = ws.withState(as: String.self) { $0 } ?? ""
            if event == .open { ws.subscribe("all") }
            if event == .message, message.kind == .text { ws.publish("all", "\(name): \(message.text)") }
            if case .close = event { ws.publish("all", "\(name) left") }
        }
        let ada = JazzyProbe(server, "/room/7?x=1", headers: ["Cookie": "user=Ada"])
        let bob = JazzyProbe(server, "/room/8", headers: ["Cookie": "user=Bob"])
        try await ada.open()
        try await bob.open()
        try await ada.text("hello")
        #expect(bob.sent == ["Ada in 7: hello"])
        try await bob.close()
        #expect(ada.sent == ["Bob in 8 left"])
        #expect(ada.published == bob.published)
    }

    @Test("It has the request of the probe, its server, and its parameters")
    func request() async throws {
        let server = JazzyServer()
        server.ws("/called/*rest") { ws, event, _ in
            guard event == .open, let request = ws.request else { return }
            ws.send("\(ws.parameters["rest"] ?? "") \(request.query) \(request.header("X-Name") ?? "")")
            ws.send("\(ws.server.connections(in: "none").count)")
        }
        server.ws("/task/:id") { ws, messages in
            ws.send("\(ws.parameters["id"] ?? "") \(ws.request?.query ?? "") \(ws.request?.header("X-Name") ?? "")")
            for try await _ in messages {}
        }
        let headers: JazzyHeaders = ["X-Name": "Ada"]
        let (called, task) = (
            JazzyProbe(server, "/called/a/b?x=1", headers: headers), JazzyProbe(server, "/task/7?x=1", headers: headers)
        )
        try await called.open()
        try await task.open()
        #expect(called.sent == ["a/b x=1 Ada", "0"])
        #expect(task.sent == ["7 x=1 Ada"])
    }

    @Test("Its state is that of its connection")
    func state() async throws {
        let probe = JazzyProbe(state: { 0 }) { ws, event, message in
            guard event == .message, message.kind == .text else { return }
            ws.state += 1
            ws.send("\(ws.state)")
        }
        try await probe.open()
        for _ in 1...3 { try await probe.text("count") }
        #expect(probe.sent == ["1", "2", "3"])
    }

    @Test("The server's close frame is there when the probe has closed, though it follows the close event")
    func closeFrame() async throws {
        /// The server releases it between the close event and the close frame.
        final class Slow: Sendable {
            deinit { Thread.sleep(forTimeInterval: 0.1) }
        }
        let probe = JazzyProbe(state: { Slow() }) { _, _, _ in }
        try await probe.open()
        try await probe.close()
        #expect(probe.closeFrame?.code == 1_000)
    }

    @Test("When it closes, the close frame and the end are there")
    func closing() async throws {
        let probe = JazzyProbe { ws, event, message in
            if event == .message, message.kind == .text { ws.close(code: 4_001, reason: "enough") }
        }
        try await probe.open()
        #expect(probe.closed == nil)
        try await probe.text("go")
        #expect(probe.closeFrame == JazzyTestClose(code: 4_001, reason: "enough"))
        #expect(probe.closed?.code == 4_001)
        #expect(probe.closed?.cause == .application)
        #expect(probe.closed?.wasClean == true)
        #expect(!probe.isOpen)
        let error = await #expect(throws: JazzyTestError.self) { try await probe.text("more") }
        #expect(error?.code == .ended)
        #expect(error?.message.contains("code 4001") == true)
    }

    @Test(
        "When it throws, what it threw is there, and the connection is closed with 1011",
        arguments: [JazzyExecution.loop, .workers])
    func throwing(execution: JazzyExecution) async throws {
        struct Mishap: Error {}
        var options = JazzyOptions()
        options.log = { _, _ in }
        let probe = JazzyProbe(options: JazzyRouteOptions(execution: execution), serverOptions: options) {
            _, event, message in
            if event == .message, message.kind == .text { throw Mishap() }
        }
        try await probe.open()
        try await probe.text("go")
        #expect(probe.thrown.count == 1 && probe.thrown.first is Mishap)
        #expect(probe.closeFrame?.code == 1_011)
        #expect(probe.closed?.cause == .application)
    }

    /// Ways in which a client ends its connection.
    struct Departure: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let close: WsClose
        let depart: @Sendable (JazzyProbe) async throws -> Void

        static let all = [
            Departure(testDescription: "it closes", close: WsClose(code: 3_000, reason: "bye")) {
                try await $0.close(code: 3_000, reason: "bye")
            },
            Departure(testDescription: "it closes without a code", close: WsClose(code: 1_005)) {
                try await $0.close(code: nil)
            },
            Departure(testDescription: "its stream ends", close: WsClose(code: 1_006, wasClean: false)) {
                try await $0.disconnect()
            },
            Departure(
                testDescription: "it is lost",
                close: WsClose(code: 1_006, wasClean: false, cause: .failure, failure: WsError(.transport))
            ) { try await $0.lose() },
            Departure(
                testDescription: "it breaks a rule",
                close: WsClose(code: 1_002, wasClean: false, cause: .failure, failure: WsError(.notMasked))
            ) { try await $0.raw(JazzyTestFrame("not masked").bytes) },
            Departure(
                testDescription: "it sends too much",
                close: WsClose(code: 1_009, wasClean: false, cause: .failure, failure: WsError(.messageTooBig))
            ) { try await $0.binary([UInt8](repeating: 0, count: 2 << 20)) },
        ]
    }

    @Test("A client may end its connection in any way", arguments: Departure.all)
    func departure(departure: Departure) async throws {
        let probe = JazzyProbe { _, _, _ in }
        try await probe.open()
        try await departure.depart(probe)
        #expect(probe.closed == departure.close)
        #expect(probe.failure == departure.close.failure)
        #expect(!probe.isOpen)
    }

    @Test("Pings and pongs go both ways")
    func pings() async throws {
        let probe = JazzyProbe { ws, event, message in
            guard event == .message else { return }
            if message.kind == .text { ws.ping([7]) }
            if message.kind == .pong { ws.send("pong \(Array(message.bytes))") }
            if message.kind == .ping { ws.send("ping \(Array(message.bytes))") }
        }
        try await probe.open()
        try await probe.ping([1, 2])
        #expect(probe.pongs == [[1, 2]])
        #expect(probe.sent == ["ping [1, 2]"])
        try await probe.pong([3])
        #expect(probe.sent.contains("pong [3]"))
        try await probe.text("go")
        #expect(probe.pings == [[7]])
        #expect(
            try await {
                while try await probe.message() != "pong [7]" {}; return true
            }())
    }

    @Test("Messages, of any size, come in order")
    func sizes() async throws {
        let probe = JazzyProbe { ws, event, message in
            if event == .message, message.kind == .binary { ws.send(message.bytes) }
        }
        try await probe.open()
        let messages = [0, 1, 125, 126, 65_535, 65_536, 1 << 20].map { [UInt8](repeating: 0x5A, count: $0) }
        for message in messages { try await probe.binary(message, untilHandled: false) }
        for message in messages { #expect(try await probe.message() == WsOwnedMessage(message)) }
    }

    @Test("Output that the client does not take waits, and drains")
    func draining() async throws {
        let calls = Journal()
        let probe = JazzyProbe(
            options: JazzyRouteOptions(backpressureLimit: 65_536, backpressurePolicy: .report),
            onDrain: { _ in calls.record("drain") }, onDrop: { _ in calls.record("drop") }
        ) { ws, event, message in
            if event == .message, message.kind == .text {
                for _ in 1...3 { ws.send([UInt8](repeating: 1, count: 50_000)) }
            }
        }
        try await probe.open()
        probe.pauseReading()
        try await probe.text("go")
        #expect(probe.sent == [])
        try await probe.resumeReading()
        #expect(probe.sent.count == 2)
        #expect(calls.values == ["drop", "drain"])
    }

    @Test("What the server compresses is decompressed")
    func compression() async throws {
        let text = String(repeating: "the same and the same, ", count: 100)
        let probe = JazzyProbe(
            headers: ["Sec-WebSocket-Extensions": "permessage-deflate"],
            options: JazzyRouteOptions(deflate: .dedicated(minimumMessageSize: 0))
        ) { ws, event, message in
            if event == .message, message.kind == .text { ws.send(text) }
        }
        let response = try await probe.open()
        #expect(response.header("sec-websocket-extensions")?.hasPrefix("permessage-deflate") == true)
        for _ in 1...3 { try await probe.text("go") }
        #expect(probe.sent == [WsOwnedMessage](repeating: WsOwnedMessage(text), count: 3))
    }

    @Test(
        "Messages beyond a rate are dropped, closed or handled later, as the route says",
        arguments: JazzyMessageRate.Exceeding.allCases)
    func rates(exceeding: JazzyMessageRate.Exceeding) async throws {
        let rate = JazzyMessageRate.perSecond(exceeding == .pauseReading ? 1_000 : 1, burst: 2, exceeding: exceeding)
        let probe = JazzyProbe(options: JazzyRouteOptions(messageRate: rate)) { ws, event, message in
            if event == .message, message.kind == .text { ws.send(message.text) }
        }
        try await probe.open()
        // In one piece: a second later one more may come.
        let frames = ["one", "two", "three"].map { JazzyTestFrame(.text, $0.utf8, mask: [0, 0, 0, 0]) }
        try await probe.raw(frames.flatMap(\.bytes))
        if exceeding == .pauseReading { try await probe.ping() }
        #expect(probe.sent == (exceeding == .pauseReading ? ["one", "two", "three"] : ["one", "two"]))
        #expect(probe.closeFrame?.code == (exceeding == .close ? 1_008 : nil))
        #expect(probe.closed?.cause == (exceeding == .close ? .messageRate : nil))
    }
}

import JazzySwift
import Synchronization
import Testing

@Suite("Handlers that are tasks", .ownThreads)
struct AsyncHandlerTests {
    struct Mishap: Error {}

    static let executions = [JazzyExecution.loop, .workers]

    @Test("Messages come in order, texts and bytes, and pings and pongs do not", arguments: executions)
    func messages(execution: JazzyExecution) throws {
        let received = Recorder<WsOwnedMessage>()
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(execution: execution)) { ws, messages in
                for try await message in messages {
                    received.record(message)
                    ws.send(message.bytes, kind: message.kind)
                }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send("one")
            try client.send(.ping, [1])
            try client.send(.pong, [2])
            try client.send(.binary, [0xFF, 0])
            // The server answers the ping when it reads it, whatever the task does meanwhile.
            let frames = try (1...3).map { _ in try client.receive() }
            #expect(frames.contains(.init(opcode: .pong, payload: [1])))
            let answers = [
                TestClient.Frame(opcode: .text, payload: Array("one".utf8)),
                .init(opcode: .binary, payload: [0xFF, 0]),
            ]
            #expect(frames.filter { $0.opcode != .pong } == answers)
            #expect(received.values == [WsOwnedMessage("one"), WsOwnedMessage([0xFF, 0])])
        }
    }

    @Test("Returning closes an open connection with 1000, and what comes after that is ignored")
    func returning() throws {
        let log = Recorder<String>()
        try withServer(options: UpgradeTests.options(log)) {
            $0.ws("/") { ws, messages in
                for try await message in messages where message.text == "enough" { return }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send("more")
            try client.send("enough")
            try client.send("too late")
            #expect(try client.receiveClose() == 1000)
            try eventually("it is gone") { server.statistics.webSockets == 0 }
            #expect(log.values == [])
        }
    }

    @Test("The error of one that throws is logged, the connection closed with 1011, and the server lives on")
    func throwing() throws {
        let log = Recorder<String>()
        try withServer(options: UpgradeTests.options(log)) {
            $0.ws("/mishap") { ws, messages in
                for try await message in messages {
                    if message.text == "throw" { throw Mishap() }
                    ws.send(message.text)
                }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/mishap")
            try client.send("throw")
            #expect(try client.receiveClose() == 1011)
            let line = "error: \(client.localAddress): the handler of /mishap threw Mishap"
            #expect(log.values == [line])

            let another = try TestClient(port: server.port, path: "/mishap")
            try another.send("still there?")
            #expect(try another.receiveText() == "still there?")
        }
    }

    /// Ways in which a client ends its connection.
    struct Departure: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let close: WsClose
        let depart: @Sendable (TestClient) throws -> Void

        static let all = [
            Departure(testDescription: "it closes", close: WsClose(code: 1000)) { try $0.sendClose(code: 1000) },
            Departure(
                testDescription: "it breaks the protocol",
                close: WsClose(code: 1002, wasClean: false, cause: .failure, failure: WsError(.reservedOpcode))
            ) { try $0.sendRaw([0x83, 0x80, 0, 0, 0, 0]) },
        ]
    }

    @Test(
        "When the connection ends, what came before is still delivered, and the task is cancelled",
        arguments: Departure.all)
    func departure(departure: Departure) throws {
        let (gate, journal, closes) = (Gate(), Recorder<String>(), Recorder<WsClose?>())
        try withServer {
            $0.ws("/") { ws, messages in
                await withTaskCancellationHandler {
                    await gate.pass()
                } onCancel: {
                    journal.record("cancelled")
                    gate.open()
                }
                do {
                    for try await message in messages { journal.record(message.text) }
                    journal.record("end")
                } catch let error as WsError {
                    journal.record("\(error.rule)")
                }
                closes.record(messages.close)
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            for text in ["one", "two"] { try client.send(text) }
            try departure.depart(client)
            #expect(try closes.values(count: 1) == [departure.close])
            let last = departure.close.failure.map { "\($0.rule)" } ?? "end"
            #expect(journal.values == ["cancelled", "one", "two", last])
        }
    }

    @Test("Who waits for a message when the connection ends gets the end, and its failure, which is no error")
    func waiting() throws {
        let (log, journal) = (Recorder<String>(), Recorder<String>())
        try withServer(options: UpgradeTests.options(log)) {
            $0.ws("/") { ws, messages in
                ws.send("waiting")
                do {
                    for try await _ in messages {}
                    journal.record("end")
                } catch let error as WsError {
                    journal.record("\(error.rule)")
                    throw error
                }
            }
        } body: { server in
            for departure in Departure.all {
                let client = try TestClient(port: server.port, path: "/")
                _ = try client.receive()
                try departure.depart(client)
                _ = try journal.values(count: departure.close.failure == nil ? 1 : 2)
            }
            #expect(journal.values == ["end", "reservedOpcode"])
            #expect(log.values.allSatisfy { !$0.hasPrefix("error") })
        }
    }

    @Test("A task that is cancelled by others stops waiting for messages")
    func cancelledByOthers() throws {
        try withServer {
            $0.ws("/") { ws, messages in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { for try await message in messages { ws.send(message.text) } }
                    ws.send("begin")
                    for try await message in messages {
                        ws.send(message.text)
                        break
                    }
                    group.cancelAll()
                }
                ws.send("end")
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            #expect(try client.receiveText() == "begin")
            // Two tasks take messages, and each message goes to one of them. One may begin long after the other.
            var sent = 0
            try eventually("both have ended") {
                sent += 1
                try client.send("\(sent)")
                return try client.receiveText() == "end"
            }
            #expect(try client.receiveClose() == 1000)
        }
    }

    @Test("While the handler is behind, reading pauses, and nothing is lost", arguments: executions)
    func behind(execution: JazzyExecution) throws {
        var options = JazzyOptions.patient
        options.receiveBufferSize = 4_096
        let (gate, numbers) = (Gate(), Recorder<Int>())
        let total = 100_000
        try withServer(options: options) {
            $0.ws("/", options: JazzyRouteOptions(execution: execution)) { _, messages in
                await gate.pass()
                for try await message in messages { numbers.record(Int(message.text) ?? -1) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try inBackground {
                var received = 0
                try eventually("reading pauses") {
                    defer { received = server.statistics.messagesReceived.text }
                    return received > 0 && received == server.statistics.messagesReceived.text
                }
                // 64, a read of 4,096 bytes, and what waits for workers.
                #expect(received <= 64 + 40 + (execution == .loop ? 0 : 256 + 40))
                gate.open()
            } while: {
                for first in stride(from: 0, to: total, by: 1_000) {
                    try client.sendRaw((first..<first + 1_000).flatMap { maskedText("\($0)", padded: 100) })
                }
            }
            try eventually("all are there", within: .seconds(60)) { numbers.values.count >= total }
            #expect(numbers.values == Array(0..<total))
        }
    }

    /// Counts the messages that did not follow the one before, of each connection.
    actor Order {
        private var last: [JazzyWebSocket: Int] = [:]
        // Read from outside: a test that awaited the actor would have it run on the threads of tests, behind all others.
        nonisolated let received = Atomic(0)
        nonisolated let breaks = Atomic(0)

        func input(_ ws: JazzyWebSocket, _ number: Int) {
            if number != last[ws, default: -1] + 1 { breaks.add(1, ordering: .relaxed) }
            last[ws] = number
            received.add(1, ordering: .relaxed)
        }
    }

    @Test("Through an actor, the messages of many connections keep their order")
    func order() throws {
        let (clientCount, messageCount) = (40, 2_000)
        let order = Order()
        let server = JazzyServer()
        server.ws("/game/:room") { ws, messages in
            for try await message in messages { await order.input(ws, Int(message.text) ?? -1) }
        }
        try server.start(host: "127.0.0.1")
        let clients = try (0..<clientCount).map { _ in try TestClient(port: server.port, path: "/game/one") }
        for first in stride(from: 0, to: messageCount, by: 500) {
            let batch = (first..<first + 500).flatMap { maskedText("\($0)") }
            for client in clients { try client.sendRaw(batch) }
        }
        try eventually("all are there", within: .seconds(60)) {
            order.received.load(ordering: .relaxed) >= clientCount * messageCount
        }
        #expect(order.received.load(ordering: .relaxed) == clientCount * messageCount)
        #expect(order.breaks.load(ordering: .relaxed) == 0)
        server.stop(grace: .zero)
        withExtendedLifetime(clients) {}
    }

    @Test("When the server stops, its tasks are cancelled, and clients are closed in order")
    func stopping() throws {
        let journal = Recorder<String>()
        let server = JazzyServer(options: .patient)
        server.ws("/") { ws, messages in
            ws.send("here")
            for try await _ in messages {}
            journal.record("end, \(messages.close?.cause == .stopping), \(Task.isCancelled)")
        }
        try server.start(host: "127.0.0.1")
        let client = try TestClient(port: server.port, path: "/")
        #expect(try client.receiveText() == "here")
        server.stop()
        #expect(try client.receiveClose() == 1001)
        server.wait()
        #expect(try journal.values(count: 1) == ["end, true, true"])
    }

    @Test("An upgrade hook of such a route cannot give a state, which is told")
    func state() throws {
        let log = Recorder<String>()
        try withServer(options: UpgradeTests.options(log)) {
            $0.ws("/", upgrade: { _ in .accept(state: 1) }) { _, _ in }
        } body: { server in
            let handshake = try TestHandshake(port: server.port, path: "/")
            #expect(try handshake.receiveStatus() == 500)
            #expect(log.values.contains { $0.contains("gave a state that is not of the route's type: Int") })
        }
    }
}

/// A frame with a text, masked with zeros, which leaves it as it is; padded with leading zeros to a number of bytes.
private func maskedText(_ text: String, padded count: Int = 0) -> [UInt8] {
    let padding = [UInt8](repeating: UInt8(ascii: "0"), count: Swift.max(0, count - text.utf8.count))
    let payload = padding + text.utf8
    precondition(payload.count < 126)
    return [0x81, 0x80 | UInt8(payload.count), 0, 0, 0, 0] + payload
}

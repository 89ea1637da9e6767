import JazzySwift
import JazzyTesting
import Synchronization
import Testing

/// Gathers what is published, in one order for all, and delivers it together when it is told that this is all.
private final class Gatherer: JazzyBrokerConnection {
    struct Note {
        let topic: String
        let text: String
        let publisher: UInt64?
    }

    let server: JazzyBrokerServer
    let calls: Recorder<String>
    private let notes = Mutex([Note]())

    init(_ server: JazzyBrokerServer, _ calls: Recorder<String>) {
        self.server = server
        self.calls = calls
    }

    func subscribe(_ topic: String) {}
    func unsubscribe(_ topic: String) {}

    func publish(_ topic: String, _ bytes: RawSpan, kind: WsMessageKind, excluding id: UInt64?) -> JazzySendStatus {
        let text = bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
        calls.record(text)
        notes.withLock { $0.append(Note(topic: topic, text: text, publisher: id)) }
        return .queued
    }

    func flush() {
        calls.record("flush")
        let gathered = notes.withLock { notes in
            defer { notes = [] }
            return notes
        }
        let delivered = server.deliverTogether { batch in
            gathered.filter {
                batch.deliver($0.topic, $0.text.utf8Span.span.bytes, kind: .text, excluding: $0.publisher) == .sent
            }.count
        }
        calls.record("\(delivered) delivered")
    }

    func stop() {}
}

@Suite("Brokers that gather", .ownThreads)
struct BrokerBatchTests {
    private let calls = Recorder<String>()
    private let connections = Recorder<Gatherer>()

    /// Publishes each character of a text by itself, on the loop or on workers.
    private func server(_ execution: JazzyExecution) -> JazzyServer {
        var options = JazzyOptions()
        options.broker = JazzyBroker(ordering: .ordered) { [calls, connections] server in
            let connection = Gatherer(server, calls)
            connections.record(connection)
            return connection
        }
        var route = JazzyRouteOptions()
        route.execution = execution
        let server = JazzyServer(options: options)
        server.ws("/", options: route) { ws, event, message in
            if event == .open {
                ws.subscribe("news")
                ws.send("hello")
            }
            if event == .message {
                for character in message.text { ws.publish("news", String(character)) }
            }
        }
        return server
    }

    private func client(_ server: JazzyServer) throws -> TestClient {
        let client = try TestClient(port: server.port, path: "/")
        #expect(try client.receiveText() == "hello")
        return client
    }

    @Test("A broker is told once when an iteration has published, and on other threads each time")
    func flushed() throws {
        for (execution, expected) in [
            (JazzyExecution.loop, ["a", "b", "c", "flush", "3 delivered"]),
            (.workers, ["a", "b", "c"].flatMap { [$0, "flush", "1 delivered"] }),
        ] {
            let before = calls.values.count
            let server = server(execution)
            try server.start(host: "127.0.0.1", port: 0)
            let (sender, receiver) = (try client(server), try client(server))
            try sender.send("abc")
            for text in ["a", "b", "c"] { #expect(try receiver.receiveText() == text) }
            #expect(try calls.values(count: before + expected.count).dropFirst(before) == expected[...])
            server.publish("news", "to all")
            for client in [sender, receiver] { #expect(try client.receiveText() == "to all") }
            server.stop(grace: .zero)
        }
    }

    @Test("Nothing is delivered together once the server has ended, and errors pass through")
    func afterTheEnd() throws {
        struct Unreadable: Error {}
        let server = server(.loop)
        try server.start(host: "127.0.0.1", port: 0)
        let receiver = try client(server)
        let broker = try #require(connections.values.first).server
        #expect(throws: Unreadable.self) {
            try broker.deliverTogether { batch in
                batch.deliver("news", "before it".utf8Span.span.bytes, kind: .text)
                throw Unreadable()
            }
        }
        #expect(try receiver.receiveText() == "before it")
        server.stop(grace: .zero)
        let status = broker.deliverTogether { $0.deliver("news", "late".utf8Span.span.bytes, kind: .text) }
        #expect(status == .closed)
    }
}

import Dispatch
import JazzySwift
import Synchronization
import Testing

@Suite("Routes that run on workers", .ownThreads)
struct WorkerTests {
    /// One event loop, which everything would wait for that kept it busy.
    static let oneLoop = {
        var options = JazzyOptions()
        options.threads = 1
        return options
    }()

    @Test("A handler that blocks delays nobody else on its loop")
    func blocking() throws {
        let (isBlocked, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        try withServer(options: Self.oneLoop) {
            $0.ws("/slow", options: JazzyRouteOptions(execution: .workers)) { ws, event, _ in
                guard event == .message else { return }
                isBlocked.signal()
                ws.send(mayGoOn.wait(timeout: .now() + 10) == .success ? "done" : "nobody else came through")
            }
            $0.ws("/echo") { ws, event, message in
                if event == .message { ws.send(message.bytes, kind: message.kind) }
            }
        } body: { server in
            let slow = try TestClient(port: server.port, path: "/slow")
            try slow.send("work")
            #expect(isBlocked.wait(timeout: .now() + 10) == .success)
            let client = try TestClient(port: server.port, path: "/echo")
            for number in 1...100 {
                try client.send("\(number)")
                #expect(try client.receiveText() == "\(number)")
            }
            mayGoOn.signal()
            #expect(try slow.receiveText() == "done")
        }
    }

    @Test("Handlers of as many connections as there are workers block at the same time")
    func concurrency() throws {
        let count = 4
        var options = Self.oneLoop
        options.workerThreads = count
        let arrived = Atomic(0)
        let mayGoOn = DispatchSemaphore(value: 0)
        try withServer(options: options) {
            $0.ws("/", options: JazzyRouteOptions(execution: .workers)) { ws, event, _ in
                guard event == .message else { return }
                if arrived.add(1, ordering: .relaxed).newValue == count {
                    for _ in 1...count { mayGoOn.signal() }
                }
                ws.send(mayGoOn.wait(timeout: .now() + 10) == .success ? "together" : "alone")
            }
        } body: { server in
            let clients = try (1...count).map { _ in try TestClient(port: server.port, path: "/") }
            for client in clients { try client.send("wait for the others") }
            for client in clients { #expect(try client.receiveText() == "together") }
        }
    }

    /// What the handler of one connection saw.
    final class Journal: Sendable {
        let events = Mutex<[String]>([])
        let isInHandler = Atomic(false)
        let overlaps = Atomic(0)

        func record(_ event: String) {
            if isInHandler.exchange(true, ordering: .relaxed) { overlaps.add(1, ordering: .relaxed) }
            events.withLock { $0.append(event) }
            isInHandler.store(false, ordering: .relaxed)
        }
    }

    @Test(
        "The events of a connection keep their order, never overlap, and none is lost, however few may wait",
        arguments: [JazzyExecution.workers, .workers(maxWaitingEvents: 1), .workers(maxWaitingEvents: 7)])
    func order(execution: JazzyExecution) throws {
        let journals = Mutex<[JazzyWebSocket: Journal]>([:])
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(execution: execution)) { ws, event, message in
                let journal = journals.withLock { all in
                    if all[ws] == nil { all[ws] = Journal() }
                    return all[ws]
                }
                switch event {
                case .open: journal?.record("open")
                case .message: journal?.record(message.text)
                case .close: journal?.record("close")
                case .error: journal?.record("error")
                }
            }
        } body: { server in
            let clients = try (1...4).map { _ in try TestClient(port: server.port, path: "/") }
            for number in 1...500 {
                for client in clients { try client.send("\(number)") }
            }
            for client in clients { try client.sendClose(code: 1000) }
            let expected = ["open"] + (1...500).map { "\($0)" } + ["close"]
            try eventually("everything was handled") {
                let all = journals.withLock { Array($0.values) }
                return all.count == 4 && all.allSatisfy { $0.events.withLock { $0.last == "close" } }
            }
            for journal in journals.withLock({ Array($0.values) }) {
                #expect(journal.events.withLock { $0 } == expected)
                #expect(journal.overlaps.load(ordering: .relaxed) == 0)
            }
        }
    }

    @Test("A server that stops runs the handlers that wait, and `wait` returns after the last")
    func stop() throws {
        let events = Recorder<WsEvent>()
        let (isBlocked, mayGoOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let server = JazzyServer()
        server.ws("/", options: JazzyRouteOptions(execution: .workers)) { _, event, _ in
            if event == .message {
                isBlocked.signal()
                _ = mayGoOn.wait(timeout: .now() + 10)
            }
            events.record(event)
        }
        try server.start(host: "127.0.0.1")
        let client = try TestClient(port: server.port, path: "/")
        try client.send("block")
        #expect(isBlocked.wait(timeout: .now() + 10) == .success)
        server.stop()
        #expect(try client.receiveClose() == 1001)
        mayGoOn.signal()
        server.wait()
        #expect(events.values == [.open, .message, .close(WsClose(code: 1001, cause: .stopping))])
    }
}

import Dispatch
import JazzyPlatform
import JazzySwift
import Testing

/// A handler that has ended must not leave its connection open, though its event loop takes no more calls.
@Suite("Handlers that end while the mailbox of their event loop is full", .ownThreads)
struct FullMailboxTests {
    struct Mishap: Error {}

    /// A server with one event loop and one worker. A client of "/hold" keeps the loop until it is released.
    private final class BusyServer: Sendable {
        private let held = Recorder<JazzyWebSocket>()
        private let mayGoOn = DispatchSemaphore(value: 0)

        var options: JazzyOptions {
            var options = UpgradeTests.options(Recorder())
            (options.threads, options.workerThreads, options.mailboxLimit) = (1, 1, 65_536)
            return options
        }

        func addRoute(to server: JazzyServer) {
            server.ws("/hold") { [held, mayGoOn] ws, event, _ in
                guard event == .message else { return }
                held.record(ws)
                _ = mayGoOn.wait(timeout: .now() + 10)
            }
        }

        /// Runs `body` while the loop is held and its mailbox full.
        func whileFull(_ server: JazzyServer, _ body: () throws -> Void) throws {
            let holder = try TestClient(port: server.port, path: "/hold")
            try holder.send("hold")
            let ws = try held.values(count: 1)[0]
            while ws.unsubscribe("none") == .queued {}
            try body()
            mayGoOn.signal()
        }
    }

    @Test("One on workers that throws is not called again, and its connection closed with 1011")
    func throwing() throws {
        let busy = BusyServer()
        let (events, witnessed) = (Recorder<WsEvent>(), Recorder<String>())
        let (entered, mayThrow) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        try withServer(options: busy.options) {
            busy.addRoute(to: $0)
            $0.ws("/", options: JazzyRouteOptions(execution: .workers)) { _, event, _ in
                events.record(event)
                guard event == .message else { return }
                entered.signal()
                _ = mayThrow.wait(timeout: .now() + 10)
                throw Mishap()
            }
            $0.ws("/witness", options: JazzyRouteOptions(execution: .workers)) { _, event, message in
                if event == .message, message.kind == .text { witnessed.record(message.text) }
            }
        } body: { server in
            let (client, witness) = (
                try TestClient(port: server.port, path: "/"), try TestClient(port: server.port, path: "/witness")
            )
            try client.send(together: ["one", "two"])
            #expect(entered.wait(timeout: .now() + 10) == .success)
            try witness.send("free")
            // The loop answers it, which has read the text then; the only worker is in the other handler.
            try witness.send(.ping, [])
            #expect(try witness.receive().opcode == .pong)
            try busy.whileFull(server) {
                mayThrow.signal()
                _ = try witnessed.values(count: 1)
            }
            mayThrow.signal()
            #expect(try client.receiveClose() == 1011)
            try eventually("it is gone") { events.values.count >= 3 }
            #expect(Array(events.values.prefix(2)) == [.open, .message])
            #expect(events.values.filter { $0 == .message }.count == 1)
        }
    }

    @Test(
        "The connection of a task that has returned or thrown is closed, also if it has cancelled itself",
        arguments: [1000, 1011], [false, true])
    func task(code: UInt16, cancelsItself: Bool) throws {
        let (busy, gate) = (BusyServer(), Gate())
        let (entered, ended) = (Recorder<JazzyWebSocket>(), Recorder<JazzyWebSocket>())
        try withServer(options: busy.options) {
            busy.addRoute(to: $0)
            $0.ws("/") { ws, messages in
                for try await _ in messages {
                    entered.record(ws)
                    await gate.pass()
                    ended.record(ws)
                    if cancelsItself { withUnsafeCurrentTask { $0?.cancel() } }
                    if code == 1011 { throw Mishap() }
                    return
                }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send("go")
            _ = try entered.values(count: 1)
            try busy.whileFull(server) {
                gate.open()
                _ = try ended.values(count: 1)
                // Time for it to be refused; it is closed anyway.
                usleep(100_000)
            }
            #expect(try client.receiveClose() == code)
            try eventually("they are gone") { server.statistics.webSockets == 0 }
        }
    }
}

import CJazzyPoll
import Foundation
import JazzySwift
import Synchronization
import Testing

/// Lines of a log, and the level of each.
final class LogLines: Sendable {
    struct Line: Equatable, Sendable {
        let level: JazzyLogLevel
        let text: String
    }

    private let recorder = Recorder<Line>()

    var all: [Line] { recorder.values }

    func texts(of level: JazzyLogLevel) -> [String] { all.filter { $0.level == level }.map(\.text) }

    /// Options with a log that is kept here.
    func options(_ logLevel: JazzyLogLevel = .info) -> JazzyOptions {
        var options = JazzyOptions()
        options.threads = 1
        options.logLevel = logLevel
        // Where a server listens, which it says when it begins to run, no test here asks for.
        options.log = { [recorder] level, text in
            if !text.hasPrefix("listens on ") { recorder.record(Line(level: level, text: text)) }
        }
        return options
    }
}

@Suite("The log", .ownThreads)
struct LogTests {
    struct Order: Decodable { let number: Int }

    /// An error whose text comes from a client.
    struct Mishap: Error, CustomStringConvertible {
        let description: String
    }

    static let executions = [JazzyExecution.loop, .workers]

    static func decode(_ message: borrowing WsMessage) throws {
        _ = try JSONDecoder().decode(Order.self, from: Data(message.text.utf8))
    }

    @Test("A handler's error is one line with the address, the route and its type, and nothing of a payload")
    func typeOnly() throws {
        for execution in Self.executions {
            let log = LogLines()
            var address = ""
            try withServer(options: log.options()) {
                $0.ws("/orders/:id", options: JazzyRouteOptions(execution: execution)) { _, event, message in
                    if event == .message { try Self.decode(message) }
                }
            } body: { server in
                let client = try TestClient(port: server.port, path: "/orders/7")
                address = client.localAddress
                try client.send(#"{"number": "hunter2"}"#)
                #expect(try client.receiveClose() == 1011)
            }
            let line = LogLines.Line(level: .error, text: "\(address): the handler of /orders/:id threw DecodingError")
            #expect(log.all == [line])
        }
    }

    @Test("Its text is told at the level debug, and cannot forge a line")
    func text() throws {
        let log = LogLines()
        let hostile = "x\nerror: forged\r\u{1B}[2J\u{9B}31m\u{7F}\u{202E}\u{2066}\u{2028}"
        try withServer(options: log.options(.debug)) {
            $0.ws("/") { _, event, message in
                if event == .message { throw Mishap(description: message.text) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send(hostile)
            #expect(try client.receiveClose() == 1011)
            let line = "\(client.localAddress): the handler of / threw Mishap"
            #expect(log.texts(of: .error) == [line])
            let shown = #"x\nerror: forged\r\u{1B}[2J\u{9B}31m\u{7F}\u{202E}\u{2066}\u{2028}"#
            #expect(log.texts(of: .debug) == ["\(line): \(shown)"])
            #expect(log.all.count == 2)
        }
    }

    @Test("A text of any length is cut")
    func cut() throws {
        let log = LogLines()
        try withServer(options: log.options(.debug)) {
            $0.ws("/") { _, event, _ in
                if event == .message { throw Mishap(description: String(repeating: "é", count: 1 << 20)) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send("go")
            #expect(try client.receiveClose() == 1011)
            let text = try #require(log.texts(of: .debug).first)
            #expect(text.utf8.count < 512)
            #expect(text.utf8.count > 500)
            #expect(text.hasSuffix("é…"))
        }
    }

    @Test("2,001 bad messages are a few lines, and one that counts the rest", arguments: executions)
    func flood(execution: JazzyExecution) throws {
        let log = LogLines()
        let thrown = Atomic(0)
        let began = ContinuousClock.now
        try withServer(options: log.options()) {
            $0.ws("/", options: JazzyRouteOptions(execution: execution)) { _, event, message in
                guard event == .message else { return }
                thrown.add(1, ordering: .relaxed)
                try Self.decode(message)
            }
        } body: { server in
            for _ in 1...2_001 {
                let client = try TestClient(port: server.port, path: "/")
                try client.send("{\n\n")
                _ = try client.receiveClose()
            }
        }
        let seconds = Int((ContinuousClock.now - began).components.seconds) + 2
        #expect(thrown.load(ordering: .relaxed) == 2_001)
        let lines = log.texts(of: .error)
        let told = lines.filter { $0.hasSuffix(": the handler of / threw DecodingError") }
        let counts = lines.compactMap { $0.wholeMatch(of: /([0-9]+) more lines about peers were left out/)?.1 }
        #expect(told.count <= 10 * seconds)
        #expect(counts.count <= seconds)
        #expect(told.count + counts.compactMap { Int($0) }.reduce(0, +) == 2_001)
        #expect(log.all.count == told.count + counts.count)
    }

    @Test("A hook's error is told as a handler's is")
    func hook() throws {
        let log = LogLines()
        try withServer(options: log.options(.debug)) {
            $0.ws("/", upgrade: { throw Mishap(description: $0.header("X-Text") ?? "") }) { _, _, _ in }
        } body: { server in
            let handshake = try TestHandshake(port: server.port, path: "/", headers: ["X-Text": "a\tb\u{202E}"])
            #expect(try handshake.receiveStatus() == 500)
            let line = "\(handshake.socket.localAddress): the upgrade hook of / threw Mishap"
            #expect(log.texts(of: .error) == [line])
            #expect(log.texts(of: .debug) == [line + #": a\tb\u{202E}"#])
        }
    }

    @Test("What a hook chose by what its client asked for cannot forge a line")
    func hookAnswer() throws {
        let log = LogLines()
        try withServer(options: log.options()) {
            $0.ws("/", upgrade: { .accept(subprotocol: $0.queryValue("p")) }) { _, _, _ in }
        } body: { server in
            let handshake = try TestHandshake(port: server.port, path: "/?p=a%0Aerror:%20forged")
            #expect(try handshake.receiveStatus() == 500)
            #expect(log.texts(of: .error).count == 1)
            #expect(log.texts(of: .error).first?.contains("\n") == false)
            #expect(log.texts(of: .error).first?.contains("forged") == true)
        }
    }

    @Test("A handler may tell the log of its connection", arguments: executions)
    func own(execution: JazzyExecution) throws {
        let log = LogLines()
        try withServer(options: log.options(.debug)) {
            $0.ws("/", options: JazzyRouteOptions(execution: execution)) { ws, event, message in
                guard event == .message else { return }
                for level in [JazzyLogLevel.debug, .info, .warning, .error] { ws.log(level, message.text) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send("a\nb\0c")
            try eventually("four lines") { log.all.count == 4 }
            let text = client.localAddress + #": a\nb\u{0}c"#
            #expect(
                log.all == [JazzyLogLevel.debug, .info, .warning, .error].map { LogLines.Line(level: $0, text: text) })
        }
    }

    @Test("A route's path cannot forge a line, either")
    func path() throws {
        let log = LogLines()
        let server = JazzyServer(options: log.options())
        try server.start(host: "127.0.0.1")
        server.get("/\nerror: forged", .text(""))
        let line = #"the route /\nerror: forged was added too late: it counts from the next start"#
        #expect(log.texts(of: .warning) == [line])
    }

    @Test("Less than the level that is wanted is not told", arguments: [JazzyLogLevel.debug, .info, .warning, .error])
    func level(least: JazzyLogLevel) throws {
        let log = LogLines()
        let server = JazzyServer(options: log.options(least))
        server.ws("/") { ws, event, _ in
            guard event == .message else { return }
            for level in [JazzyLogLevel.debug, .info, .warning, .error] { ws.log(level, "said") }
        }
        try server.start(host: "127.0.0.1")
        server.get("/late", .text(""))
        let client = try TestClient(port: server.port, path: "/")
        try client.send("speak")
        try eventually("the last line") { log.texts(of: .error).count == 1 }
        #expect(log.all.allSatisfy { $0.level >= least })
        #expect(log.texts(of: .warning).count == (least <= .warning ? 2 : 0))
        #expect(log.texts(of: .debug).count == (least == .debug ? 1 : 0))
    }

    @Test("By default warnings and errors go to standard error; at the level debug everything does")
    func standardError() async throws {
        for (isDebug, lines) in [(false, 2), (true, 5)] {  // the first line has the server's addresses
            let result = await #expect(processExitsWith: .success, observing: [\.standardErrorContent]) {
                [isDebug = isDebug as Bool] in try Self.speak(isDebug ? .debug : .info)
            }
            let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(text.split(separator: "\n").filter { $0.hasPrefix("jazzy: ") }.count == lines)
        }
    }

    static func speak(_ level: JazzyLogLevel) throws {
        var options = JazzyOptions()
        options.logLevel = level
        try withServer(options: options) {
            $0.ws("/") { ws, event, _ in
                guard event == .message else { return }
                for level in [JazzyLogLevel.debug, .info, .warning, .error] { ws.log(level, "said\nso") }
                ws.close()
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send("speak")
            _ = try client.receiveClose()
        }
    }
}

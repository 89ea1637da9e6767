import Foundation
import JazzySwift
import Testing

@Suite("Coders of routes and servers", .ownThreads)
struct CodersTests {
    struct Note: Codable, Equatable {
        var authorName = "Ada"
        var writtenAt = Date(timeIntervalSince1970: 1_772_357_400)
        var path = "a/b"
    }

    static let snakeCase = JazzyCoders {
        $0.keyEncodingStrategy = .convertToSnakeCase
    } decoder: {
        $0.keyDecodingStrategy = .convertFromSnakeCase
    }
    static let seconds = JazzyCoders {
        $0.dateEncodingStrategy = .secondsSince1970
    } decoder: {
        $0.dateDecodingStrategy = .secondsSince1970
    }

    /// What a note is with each of them.
    static let standard = #"{"authorName":"Ada","path":"a/b","writtenAt":"2026-03-01T09:30:00Z"}"#
    static let inSnakeCase = #"{"author_name":"Ada","path":"a/b","written_at":"2026-03-01T09:30:00Z"}"#
    static let inSeconds = #"{"authorName":"Ada","path":"a/b","writtenAt":1772357400}"#

    struct Choice: CustomTestStringConvertible, Sendable {
        let testDescription: String
        var server: JazzyCoders?
        var route: JazzyCoders?
        let text: String
    }

    static let choices = [
        Choice(testDescription: "neither says anything", text: standard),
        Choice(testDescription: "the server does", server: snakeCase, text: inSnakeCase),
        Choice(testDescription: "the route does", route: seconds, text: inSeconds),
        Choice(testDescription: "both do", server: snakeCase, route: seconds, text: inSeconds),
        Choice(testDescription: "the route wants the default", server: snakeCase, route: .default, text: standard),
    ]

    static func options(_ choice: Choice) -> JazzyOptions {
        var options = JazzyOptions()
        options.threads = 2
        if let coders = choice.server { options.coders = coders }
        return options
    }

    /// One kind of handler that decodes a note, and sends it back.
    struct Handling: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let add: @Sendable (JazzyServer, JazzyRouteOptions) -> Void
    }

    static func sendBack(_ ws: JazzyWebSocket, _ event: WsEvent, _ message: borrowing WsMessage) throws {
        guard event == .message else { return }
        try ws.send(json: message.decode(Note.self))
    }

    static let handlings = [
        Handling(testDescription: "one that is called") { $0.ws("/", options: $1, sendBack) },
        Handling(testDescription: "one on workers") { server, options in
            var options = options
            options.execution = .workers
            server.ws("/", options: options, sendBack)
        },
        Handling(testDescription: "one with a state") { server, options in
            server.ws("/", options: options, state: { 0 }) { ws, event, message in
                guard event == .message else { return }
                try ws.send(json: message.decode(Note.self))
            }
        },
        Handling(testDescription: "a task") { server, options in
            server.ws("/", options: options) { ws, messages in
                for try await message in messages { try ws.send(json: message.decode(Note.self)) }
            }
        },
        Handling(testDescription: "one that copies the message for another thread") { server, options in
            server.ws("/", options: options) { ws, event, message in
                guard event == .message else { return }
                let copy = WsOwnedMessage(message)
                Task.detached { try ws.send(json: copy.decode(Note.self)) }
            }
        },
    ]

    @Test("Messages are decoded and sent with those of the route, else of the server", arguments: handlings, choices)
    func sending(handling: Handling, choice: Choice) throws {
        try withServer(options: Self.options(choice)) {
            // Among others, with others.
            $0.ws("/before", options: JazzyRouteOptions(coders: Self.snakeCase)) { _, _, _ in }
            handling.add($0, JazzyRouteOptions(coders: choice.route))
            $0.ws("/:behind", options: JazzyRouteOptions(coders: Self.snakeCase)) { _, _, _ in }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            for kind in [TestClient.Opcode.text, .binary, .text] {
                try client.send(kind, Array(choice.text.utf8))
                #expect(try client.receiveText() == choice.text)
            }
        }
    }

    @Test("A connection publishes with those of its route, also when it has left, and a server with its own")
    func publishing() throws {
        var options = JazzyOptions()
        options.coders = Self.snakeCase
        try withServer(options: options) {
            $0.ws("/listen") { ws, event, _ in
                if event == .open {
                    ws.subscribe("notes")
                    ws.send("ready")
                }
            }
            $0.ws("/speak", options: JazzyRouteOptions(coders: Self.seconds)) { ws, event, _ in
                switch event {
                case .open, .close: try ws.publish("notes", json: Note())
                case .message: try ws.server.publish("notes", json: Note())
                default: break
                }
            }
        } body: { server in
            let listener = try TestClient(port: server.port, path: "/listen")
            #expect(try listener.receiveText() == "ready")
            let speaker = try TestClient(port: server.port, path: "/speak")
            #expect(try listener.receiveText() == Self.inSeconds)
            try speaker.send("as the server does")
            #expect(try listener.receiveText() == Self.inSnakeCase)
            try speaker.sendClose(code: 1000)
            #expect(try listener.receiveText() == Self.inSeconds)
            try server.publish("notes", json: Note())
            #expect(try listener.receiveText() == Self.inSnakeCase)
            #expect(server.coders == Self.snakeCase)
        }
    }

    @Test("When a connection is gone, its coders are the default, and nothing is sent")
    func gone() throws {
        let opened = Recorder<JazzyWebSocket>()
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(coders: Self.seconds)) { ws, event, _ in
                if event == .open { opened.record(ws) }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            let ws = try opened.values(count: 1)[0]
            #expect(ws.coders == Self.seconds)
            try client.sendClose(code: 1000)
            try eventually("it is gone") { ws.remoteAddress == nil }
            #expect(ws.coders == .default)
            #expect(try ws.send(json: Note()) == .closed)
        }
    }

    @Test(
        "Dates are as in ISO 8601, in what is read with or without a fraction",
        arguments: [
            ("2026-03-01T09:30:00Z", 1_772_357_400), ("2026-03-01T09:30:00.250Z", 1_772_357_400.25),
            ("2026-03-01T10:30:00+01:00", 1_772_357_400),
        ])
    func dates(text: String, seconds: Double) throws {
        let dates = try WsOwnedMessage("[\"\(text)\"]").decode([Date].self)
        #expect(dates.map { ($0.timeIntervalSince1970 * 1_000).rounded() } == [seconds * 1_000])
    }

    @Test("Coders equal their copies and no others, and so do the options that have them")
    func equality() {
        let (one, other) = (JazzyCoders(), JazzyCoders())
        let copy = one
        #expect(one == copy)
        #expect(one != other)
        #expect(one != .default)
        #expect(JazzyCoders.default == .default)
        #expect(JazzyRouteOptions(coders: one) == JazzyRouteOptions(coders: copy))
        #expect(JazzyRouteOptions(coders: one) != JazzyRouteOptions(coders: other))
        #expect(JazzyRouteOptions(coders: one) != JazzyRouteOptions())
    }

    @Test("Each value has an encoder and a decoder of its own, on any number of threads")
    func threads() async throws {
        try await withThrowingTaskGroup { group in
            for number in 0..<8 {
                let coders = [JazzyCoders.default, Self.snakeCase, Self.seconds][number % 3]
                let text = [Self.standard, Self.inSnakeCase, Self.inSeconds][number % 3]
                group.addTask {
                    for _ in 1...200 {
                        let encoded = try coders.encoder().encode(Note())
                        #expect(String(decoding: encoded, as: UTF8.self) == text)
                        #expect(try coders.decoder().decode(Note.self, from: encoded) == Note())
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(Self.snakeCase.encoder() !== Self.snakeCase.encoder())
        #expect(Self.snakeCase.decoder() !== Self.snakeCase.decoder())
    }
}

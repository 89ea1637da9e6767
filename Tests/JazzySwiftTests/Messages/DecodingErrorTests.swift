import Foundation
import JazzySwift
import Testing

@Suite("Messages that cannot be decoded", .ownThreads)
struct DecodingErrorTests {
    struct Order: Decodable {
        var items: [Item]
        var notes: [String: Int]?
        var ranks: [Int: Bool]?
        var at: Date?
        var link: URL?
    }

    struct Item: Decodable {
        var price: Int8
        var color: Color?
        var any: Anything?
    }

    enum Color: String, Decodable {
        case red
        case blue
    }

    /// Looks for a key that the message names.
    struct Anything: Decodable {
        struct Key: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Key.self)
            for key in container.allKeys {
                let name = try container.decode(String.self, forKey: key)
                _ = try container.decode(Int.self, forKey: Key(stringValue: name))
            }
        }
    }

    struct Wrong: CustomTestStringConvertible, Sendable {
        let message: String
        let path: [String]
        let expected: String
        let text: String

        var testDescription: String { message }
    }

    /// What comes from the peer has the word SECRET, or the number 77 or 777.
    static let wrongs = [
        Wrong(message: "SECRET", path: [], expected: "JSON", text: "expected JSON"),
        Wrong(message: "", path: [], expected: "JSON", text: "expected JSON"),
        Wrong(message: #"{"items":["SECRET"#, path: [], expected: "JSON", text: "expected JSON"),
        Wrong(message: #"["SECRET"]"#, path: [], expected: "an object", text: "expected an object"),
        Wrong(message: #""SECRET""#, path: [], expected: "an object", text: "expected an object"),
        Wrong(message: "null", path: [], expected: "an object, not null", text: "expected an object, not null"),
        Wrong(
            message: #"{"SECRET":77}"#, path: ["items"], expected: "a value, and there is none",
            text: "items: expected a value, and there is none"),
        Wrong(
            message: #"{"items":"SECRET"}"#, path: ["items"], expected: "an array", text: "items: expected an array"),
        Wrong(
            message: #"{"items":null}"#, path: ["items"], expected: "an array, not null",
            text: "items: expected an array, not null"),
        Wrong(
            message: #"{"items":[{"price":1},{"price":"SECRET"}]}"#, path: ["items", "[1]", "price"], expected: "Int8",
            text: "items[1].price: expected Int8"),
        Wrong(
            message: #"{"items":[{"price":1,"color":"SECRET"}]}"#, path: ["items", "[0]", "color"],
            expected: "a value that its type allows", text: "items[0].color: expected a value that its type allows"),
        Wrong(
            message: #"{"items":[],"notes":{"SECRET":"x"}}"#, path: ["notes", "*"], expected: "Int",
            text: "notes.*: expected Int"),
        Wrong(
            message: #"{"items":[],"ranks":{"77":"x"}}"#, path: ["ranks", "*"], expected: "Bool",
            text: "ranks.*: expected Bool"),
        Wrong(
            message: #"{"items":[],"at":"SECRET"}"#, path: ["at"], expected: "a date as in ISO 8601",
            text: "at: expected a date as in ISO 8601"),
        Wrong(message: #"{"items":[],"at":77}"#, path: ["at"], expected: "String", text: "at: expected String"),
        Wrong(
            message: #"{"items":[],"link":77}"#, path: ["link"], expected: "String", text: "link: expected String"),
        // Foundation does not say where.
        Wrong(
            message: #"{"items":[{"price":777}]}"#, path: [], expected: "values that Order allows",
            text: "expected values that Order allows"),
        Wrong(
            message: #"{"items":[{"price":1,"any":{"a":"SECRET"}}]}"#, path: ["items", "[0]", "any", "*"],
            expected: "a value, and there is none", text: "items[0].any.*: expected a value, and there is none"),
    ]

    @Test("The error says where, and what was expected, and nothing of what the peer sent", arguments: wrongs)
    func errors(wrong: Wrong) throws {
        let error = try #require(throws: WsDecodingError.self) { try WsOwnedMessage(wrong.message).decode(Order.self) }
        #expect(error == WsDecodingError(codingPath: wrong.path, expected: wrong.expected))
        #expect("\(error)" == wrong.text)
        for text in ["\(error)", String(reflecting: error), error.localizedDescription] {
            #expect(!text.contains("SECRET") && !text.contains("77"))
        }
    }

    struct Refusal: Error, Equatable {}

    struct Picky: Decodable {
        init(from decoder: any Decoder) throws { throw Refusal() }
    }

    @Test("What a type's own decoding throws is thrown as it is")
    func ownErrors() {
        #expect(throws: Refusal()) { try WsOwnedMessage("1").decode(Picky.self) }
    }

    @Test("However deep arrays are nested, decoding ends with an error", arguments: [JazzyExecution.loop, .workers])
    func depth(execution: JazzyExecution) throws {
        indirect enum Nested: Decodable {
            case array([Nested])

            init(from decoder: any Decoder) throws {
                self = .array(try decoder.singleValueContainer().decode([Nested].self))
            }
        }
        let errors = Recorder<String>()
        try withServer {
            $0.ws("/", options: JazzyRouteOptions(execution: execution)) { ws, event, message in
                guard event == .message else { return }
                let count = Int(message.text) ?? 0
                let nested = WsOwnedMessage(String(repeating: "[", count: count) + String(repeating: "]", count: count))
                do {
                    _ = try nested.decode(Nested.self)
                    errors.record("none")
                } catch {
                    errors.record("\(type(of: error))")
                }
            }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send("100")
            // As deep as a message may be, which needs the most of the stack.
            try client.send("512")
            try client.send("513")
            try client.send("1000000")
            #expect(try errors.values(count: 4) == ["none", "none", "WsDecodingError", "WsDecodingError"])
        }
    }

    @Test(
        "If a handler does not catch it, its text is logged, which has nothing of the payload, and 1011 is sent",
        arguments: [JazzyLogLevel.info, .debug])
    func logging(level: JazzyLogLevel) throws {
        let log = Recorder<String>()
        var options = JazzyOptions()
        options.logLevel = level
        options.log = { level, line in log.record("\(level): \(line)") }
        try withServer(options: options) {
            $0.ws("/called") { _, event, message in if event == .message { _ = try message.decode(Order.self) } }
            $0.ws("/task") { _, messages in for try await message in messages { _ = try message.decode(Order.self) } }
        } body: { server in
            for path in ["/called", "/task"] {
                let client = try TestClient(port: server.port, path: path)
                try client.send(#"{"items":[],"notes":{"SECRET":"SECRET"}}"#)
                #expect(try client.receiveClose() == .internalError)
                let line =
                    "error: \(client.localAddress): the handler of \(path) threw WsDecodingError: notes.*: expected Int"
                #expect(log.values.filter { $0.contains(path) } == [line])
            }
            #expect(!log.values.contains { $0.contains("SECRET") })
        }
    }
}

import JazzySwift
import Testing

@Suite("Messages that own their content")
struct WsOwnedMessageTests {
    @Test("Messages are equal if their payloads are, byte by byte")
    func equality() {
        let composed = WsOwnedMessage("\u{E9}")
        let decomposed = WsOwnedMessage("e\u{301}")
        #expect(composed.text == decomposed.text)
        #expect(composed != decomposed)
        #expect(composed != WsOwnedMessage(composed.bytes))
        #expect(Set([composed, decomposed, WsOwnedMessage("\u{E9}"), WsOwnedMessage(composed.bytes)]).count == 3)
    }

    @Test("A text has its string, its bytes and their number")
    func text() {
        let message = WsOwnedMessage("Jürgen")
        #expect(message.kind == .text)
        #expect(message.text == "Jürgen")
        #expect(message.bytes == Array("Jürgen".utf8))
        #expect(message.count == 7)
        #expect(message == WsOwnedMessage("Jürgen".utf8, kind: .text))
    }

    @Test("Any other kind has its bytes, and shows what is not UTF-8", arguments: [WsMessageKind.binary, .ping, .pong])
    func bytes(kind: WsMessageKind) {
        let message = WsOwnedMessage([65, 0xFF], kind: kind)
        #expect(message.kind == kind)
        #expect(message.bytes == [65, 0xFF])
        #expect(message.text == "A\u{FFFD}")
        #expect(message.count == 2)
        #expect(message != WsOwnedMessage([65], kind: kind))
    }

    @Test("A message that is borrowed can be copied")
    func copy() throws {
        let copies = Recorder<WsOwnedMessage>()
        try withServer {
            $0.ws("/") { _, event, message in if event == .message { copies.record(WsOwnedMessage(message)) } }
        } body: { server in
            let client = try TestClient(port: server.port, path: "/")
            try client.send("text")
            try client.send(.binary, [1, 2])
            try client.send(.ping, [3])
            let expected = [WsOwnedMessage("text"), WsOwnedMessage([1, 2]), WsOwnedMessage([3], kind: .ping)]
            #expect(try copies.values(count: 3) == expected)
        }
    }
}

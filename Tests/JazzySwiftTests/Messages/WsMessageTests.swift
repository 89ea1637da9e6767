import CJazzyPoll
import Testing

@testable import JazzySwift

@Suite("Messages")
struct WsMessageTests {
    @Test(
        "A message shows its bytes, their number, and the text they are",
        arguments: [
            ("", []),
            ("ping", Array("ping".utf8)),
            ("Grüße, 世界 🎷", Array("Grüße, 世界 🎷".utf8)),
            ("\u{FFFD}A", [0xFF, 0x41]),
        ])
    func content(text: String, bytes: [UInt8]) {
        let message = WsMessage(kind: .text, bytes: bytes.span.bytes)
        #expect(message.text == text)
        #expect(message.count == bytes.count)
        #expect(Array(message.bytes) == bytes)
    }

    @Test(
        "The kinds are the core's",
        arguments: [
            (WsMessageKind.text, JZ_MESSAGE_TEXT),
            (.binary, JZ_MESSAGE_BINARY),
            (.ping, JZ_MESSAGE_PING),
            (.pong, JZ_MESSAGE_PONG),
        ])
    func kinds(kind: WsMessageKind, core: jz_message_kind) {
        #expect(kind.core == core)
        #expect(WsMessageKind(core) == kind)
    }
}

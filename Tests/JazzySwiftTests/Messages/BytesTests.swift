import Testing

@testable import JazzySwift

@Suite("Bytes of messages")
struct BytesTests {
    static let bytes: [UInt8] = [0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88, 0xFF]

    struct Load: CustomTestStringConvertible, Sendable {
        let testDescription: String
        /// From a borrowed message, and from one that owns its bytes.
        let values: @Sendable (borrowing WsMessage, WsOwnedMessage) -> [Int128?]
        let expected: Int128?

        init<Value: FixedWidthInteger & Sendable>(
            _ offset: Int, _ type: Value.Type, _ order: WsByteOrder, _ expected: Int128?
        ) {
            testDescription = "\(type) at \(offset), \(order)"
            values = { borrowed, owned in
                [
                    borrowed.load(fromByteOffset: offset, as: type, order).map { Int128(truncatingIfNeeded: $0) },
                    owned.load(fromByteOffset: offset, as: type, order).map { Int128(truncatingIfNeeded: $0) },
                ]
            }
            self.expected = expected
        }
    }

    static let loads = [
        Load(0, UInt8.self, .bigEndian, 0x01), Load(1, UInt8.self, .littleEndian, 0x82),
        Load(1, Int8.self, .bigEndian, -0x7E), Load(8, Int8.self, .littleEndian, -1),
        Load(0, UInt16.self, .bigEndian, 0x0182), Load(0, UInt16.self, .littleEndian, 0x8201),
        Load(7, Int16.self, .bigEndian, Int128(Int16(bitPattern: 0x88FF))), Load(7, Int16.self, .littleEndian, -0x78),
        Load(1, UInt32.self, .bigEndian, 0x8203_8405), Load(1, UInt32.self, .littleEndian, 0x0584_0382),
        Load(3, Int32.self, .bigEndian, Int128(Int32(bitPattern: 0x8405_8607))),
        Load(0, UInt64.self, .bigEndian, 0x0182_0384_0586_0788),
        Load(1, Int64.self, .littleEndian, Int128(Int64(bitPattern: 0xFF88_0786_0584_0382))),
        Load(1, UInt64.self, .bigEndian, 0x8203_8405_8607_88FF),
        Load(0, UInt128.self, .bigEndian, nil), Load(0, Int128.self, .littleEndian, nil),
        Load(9, UInt8.self, .bigEndian, nil), Load(8, UInt16.self, .littleEndian, nil),
        Load(6, UInt32.self, .bigEndian, nil), Load(2, UInt64.self, .littleEndian, nil),
        Load(-1, UInt8.self, .bigEndian, nil), Load(-8, UInt64.self, .littleEndian, nil),
        Load(.min, UInt8.self, .bigEndian, nil), Load(.min, UInt64.self, .littleEndian, nil),
        Load(.max, UInt8.self, .bigEndian, nil), Load(.max, UInt64.self, .littleEndian, nil),
        Load(.max - 3, UInt32.self, .bigEndian, nil),
    ]

    @Test("Integers are read at any offset in either order, and none that is not there as a whole", arguments: loads)
    func load(load: Load) {
        let owned = WsOwnedMessage(Self.bytes)
        let values = load.values(WsMessage(kind: .binary, bytes: Self.bytes.span.bytes), owned)
        #expect(values == [load.expected, load.expected])
    }

    @Test("An empty message has no integers, and an empty span", arguments: [WsByteOrder.bigEndian, .littleEndian])
    func empty(order: WsByteOrder) {
        let none: [UInt8] = []
        let message = WsMessage(kind: .binary, bytes: none.span.bytes)
        #expect(message.load(fromByteOffset: 0, as: UInt8.self, order) == nil)
        #expect(elements(of: message.span) == [])
        for owned in [WsOwnedMessage(""), WsOwnedMessage(none)] {
            #expect(owned.load(fromByteOffset: 0, as: UInt8.self, order) == nil)
            #expect(elements(of: owned.span) == [])
        }
    }

    @Test(
        "A span has the bytes of the message, and arrays copy them, of short texts and of long ones",
        arguments: ["", "a", "fifteen letters", "sixteen  letters", "Grüße 🎷", String(repeating: "long ", count: 100)])
    func spans(text: String) {
        let bytes = Array(text.utf8)
        let borrowed = WsMessage(kind: .text, bytes: bytes.span.bytes)
        #expect(Array(borrowed) == bytes)
        #expect(elements(of: borrowed.span) == bytes)
        for owned in [WsOwnedMessage(text), WsOwnedMessage(bytes), WsOwnedMessage(borrowed)] {
            #expect(Array(owned) == bytes)
            #expect(elements(of: owned.span) == bytes)
        }
    }

    private func elements(of span: Span<UInt8>) -> [UInt8] { span.indices.map { span[$0] } }
}

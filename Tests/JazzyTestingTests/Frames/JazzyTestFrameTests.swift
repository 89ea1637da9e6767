import JazzyTesting
import Testing

@Suite("Frames of a test")
struct JazzyTestFrameTests {
    static let examples: [(frame: JazzyTestFrame, bytes: [UInt8])] = [
        (JazzyTestFrame("Hello"), [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]),
        (
            JazzyTestFrame(.text, "Hello".utf8, mask: [0x37, 0xFA, 0x21, 0x3D]),
            [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58]
        ),
        (JazzyTestFrame(.text, "Hel".utf8, isFinal: false), [0x01, 0x03, 0x48, 0x65, 0x6C]),
        (JazzyTestFrame(.continuation, "lo".utf8), [0x80, 0x02, 0x6C, 0x6F]),
        (JazzyTestFrame(.ping, "Hello".utf8), [0x89, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F]),
        (.close(code: 1_001, reason: "x"), [0x88, 0x03, 0x03, 0xE9, 0x78]),
        (.close(code: nil), [0x88, 0x00]),
        (JazzyTestFrame(.binary, rsv1: true, rsv2: true, rsv3: true), [0xF2, 0x00]),
    ]

    @Test("Their bytes are those of the RFC's examples (RFC 6455 §5.7)", arguments: Self.examples)
    func encoding(frame: JazzyTestFrame, bytes: [UInt8]) {
        #expect(frame.bytes == bytes)
    }

    @Test("A length is in its shortest form")
    func lengths() {
        let heads: [(Int, [UInt8])] = [
            (125, [0x82, 125]), (126, [0x82, 126, 0, 126]), (65_535, [0x82, 126, 0xFF, 0xFF]),
            (65_536, [0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ]
        for (length, head) in heads {
            let bytes = JazzyTestFrame(.binary, [UInt8](repeating: 0, count: length)).bytes
            #expect(bytes.starts(with: head) && bytes.count == head.count + length)
        }
    }
}

/// A frame, as it travels (RFC 6455 §5.2).
public struct JazzyTestFrame: Hashable, Sendable {
    /// What a frame is: one of the opcodes of RFC 6455 §5.2, or any other number up to 15.
    public struct Opcode: RawRepresentable, Hashable, Sendable {
        /// The number, of four bits.
        public let rawValue: UInt8

        /// Creates an opcode; only the four lower bits of the number count.
        public init(rawValue: UInt8) {
            self.rawValue = rawValue & 0x0F
        }

        /// A further part of a fragmented message.
        public static let continuation = Self(rawValue: 0)
        /// A text, or its first part.
        public static let text = Self(rawValue: 1)
        /// A binary message, or its first part.
        public static let binary = Self(rawValue: 2)
        /// The end of what this side sends.
        public static let close = Self(rawValue: 8)
        /// A ping.
        public static let ping = Self(rawValue: 9)
        /// A pong.
        public static let pong = Self(rawValue: 10)
    }

    /// What the frame is.
    public var opcode: Opcode

    /// FIN: whether the message ends with this frame.
    public var isFinal: Bool

    /// The first reserved bit, which says that a message is compressed (RFC 7692 §6).
    public var rsv1: Bool

    /// The second reserved bit.
    public var rsv2: Bool

    /// The third reserved bit.
    public var rsv3: Bool

    /// The key that the payload is masked with, four bytes; `nil` if it is not masked, as from a server.
    public var mask: [UInt8]?

    /// The payload, unmasked. Of a compressed message it is compressed.
    public var payload: [UInt8]

    /// Creates a frame.
    ///
    /// - Parameters:
    ///   - opcode: What the frame is.
    ///   - payload: The payload, unmasked.
    ///   - isFinal: FIN: whether the message ends with this frame.
    ///   - rsv1: The first reserved bit.
    ///   - rsv2: The second reserved bit.
    ///   - rsv3: The third reserved bit.
    ///   - mask: The key that the payload is to be masked with, four bytes; `nil`: it is not masked.
    public init(
        _ opcode: Opcode, _ payload: some Sequence<UInt8> = EmptyCollection(), isFinal: Bool = true, rsv1: Bool = false,
        rsv2: Bool = false, rsv3: Bool = false, mask: [UInt8]? = nil
    ) {
        precondition(mask == nil || mask?.count == 4, "the key of a mask has four bytes")
        self.opcode = opcode
        self.isFinal = isFinal
        self.rsv1 = rsv1
        self.rsv2 = rsv2
        self.rsv3 = rsv3
        self.mask = mask
        self.payload = Array(payload)
    }

    /// Creates a frame that is a whole text.
    public init(_ text: String) {
        self.init(.text, text.utf8)
    }

    /// Creates a close frame.
    ///
    /// - Parameters:
    ///   - code: Any number; `nil`: the frame is empty.
    ///   - reason: The reason, which an empty frame has none of.
    public static func close(code: UInt16?, reason: String = "") -> Self {
        Self(.close, JazzyTestClose(code: code, reason: reason).payload)
    }

    /// The payload as a text; bytes that are not UTF-8 are replaced with U+FFFD.
    public var text: String { String(decoding: payload, as: UTF8.self) }

    /// Code and reason of a close frame; `nil` if it is another.
    public var close: JazzyTestClose? { opcode == .close ? JazzyTestClose(payload: payload) : nil }

    /// The frame as bytes, masked if it has a mask, with the length in its shortest form.
    public var bytes: [UInt8] {
        let bits: [(Bool, UInt8)] = [(isFinal, 0x80), (rsv1, 0x40), (rsv2, 0x20), (rsv3, 0x10)]
        var bytes = [bits.reduce(opcode.rawValue) { $1.0 ? $0 | $1.1 : $0 }]
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case ..<126: bytes.append(maskBit | UInt8(payload.count))
        case ..<65_536: bytes += [maskBit | 126] + bigEndian(UInt16(payload.count))
        default: bytes += [maskBit | 127] + bigEndian(UInt64(payload.count))
        }
        if let mask {
            bytes += mask
            bytes += masked(payload[...], mask)
        } else {
            bytes += payload
        }
        return bytes
    }
}

/// Code and reason of a close frame (RFC 6455 §5.5.1).
public struct JazzyTestClose: Hashable, Sendable {
    /// The close code; `nil` if the frame is empty.
    public var code: UInt16?

    /// The reason, often empty.
    public var reason: String

    /// Creates code and reason.
    public init(code: UInt16?, reason: String = "") {
        self.code = code
        self.reason = reason
    }

    init(payload: [UInt8]) {
        let code = payload.count >= 2 ? UInt16(payload[0]) << 8 | UInt16(payload[1]) : nil
        self.init(code: code, reason: String(decoding: payload.dropFirst(2), as: UTF8.self))
    }

    var payload: [UInt8] { code.map { bigEndian($0) + Array(reason.utf8) } ?? [] }
}

func bigEndian(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
}

/// Eight bytes at a time: tests are not optimized, and their messages may be large.
func masked(_ payload: ArraySlice<UInt8>, _ mask: [UInt8]) -> [UInt8] {
    let key = UInt64(littleEndian: (mask + mask).enumerated().reduce(0) { $0 | UInt64($1.element) << ($1.offset * 8) })
    return [UInt8](unsafeUninitializedCapacity: payload.count) { buffer, length in
        length = payload.count
        let output = UnsafeMutableRawBufferPointer(buffer)
        payload.withUnsafeBytes { input in
            let wholeWords = input.count & ~7
            for offset in stride(from: 0, to: wholeWords, by: 8) {
                let word = input.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ key
                output.storeBytes(of: word, toByteOffset: offset, as: UInt64.self)
            }
            for offset in wholeWords..<input.count { output[offset] = input[offset] ^ mask[offset & 3] }
        }
    }
}

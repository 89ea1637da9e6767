import JazzySwift

/// Joins frames to messages, and decompresses them.
struct MessageReader: Sendable {
    /// In bytes, when it is decompressed.
    let longest: Int
    private var first: JazzyTestFrame?
    private var payload: [UInt8] = []
    private var inflation = Inflation()

    init(longest: Int = .max) {
        self.longest = longest
    }

    /// Returns the message that ends with this frame; `nil` if it goes on, or the frame is a control frame.
    mutating func take(_ frame: JazzyTestFrame) throws -> WsOwnedMessage? {
        guard frame.opcode.rawValue < 8 else { return nil }
        if frame.opcode != .continuation {
            first = frame
            payload = []
        }
        payload += frame.payload
        guard frame.isFinal, let first else { return nil }
        self.first = nil
        let whole = first.rsv1 ? try inflation.inflate(payload, to: longest) : payload
        return WsOwnedMessage(whole, kind: first.opcode == .text ? .text : .binary)
    }
}

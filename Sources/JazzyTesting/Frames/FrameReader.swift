/// Finds frames in a stream of bytes.
package struct FrameReader: Sendable {
    private var bytes: [UInt8] = []
    private var start = 0

    package init() {}

    /// How many bytes there are of a frame that is not whole yet.
    package var unread: Int { bytes.count - start }

    package mutating func append(_ more: some Sequence<UInt8>) {
        if start > 65_536 || start == bytes.count {
            bytes.removeFirst(start)
            start = 0
        }
        bytes += more
    }

    /// Takes the next frame, if all of it is there.
    package mutating func next() -> JazzyTestFrame? {
        var reader = bytes[start...]
        guard let head = reader.take(2) else { return nil }
        let (first, second) = (head[head.startIndex], head[head.startIndex + 1])
        let extended = second & 0x7F == 126 ? 2 : second & 0x7F == 127 ? 8 : 0
        guard let lengthBytes = reader.take(extended) else { return nil }
        let long = lengthBytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let mask = reader.take(second & 0x80 != 0 ? 4 : 0),
            let payload = reader.take(extended == 0 ? Int(second & 0x7F) : Int(clamping: long))
        else { return nil }
        start = reader.startIndex
        return JazzyTestFrame(
            .init(rawValue: first), mask.isEmpty ? Array(payload) : masked(payload, Array(mask)),
            isFinal: first & 0x80 != 0, rsv1: first & 0x40 != 0, rsv2: first & 0x20 != 0, rsv3: first & 0x10 != 0,
            mask: mask.isEmpty ? nil : Array(mask))
    }
}

extension ArraySlice<UInt8> {
    /// The first so many bytes, which it does not have any more then; `nil` if there are not so many.
    fileprivate mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard self.count >= count else { return nil }
        defer { removeFirst(count) }
        return prefix(count)
    }
}

/// The order of the bytes of an integer in a message.
public enum WsByteOrder: Sendable {
    /// The most significant byte first: the order of network protocols, and of a JavaScript `DataView` unless told
    /// otherwise.
    case bigEndian

    /// The least significant byte first: the order of most processors, and so of JavaScript's typed arrays.
    case littleEndian
}

extension RawSpan {
    /// Reads byte by byte, so that neither alignment nor the processor's own order matters; the compiler makes one load
    /// of it.
    @inlinable
    func integer<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type, _ order: WsByteOrder) -> Value? {
        let size = Value.bitWidth / 8
        guard offset >= 0, size <= byteCount, offset <= byteCount - size else { return nil }
        return withUnsafeBytes { bytes in
            var value: Value = 0
            switch order {
            case .bigEndian:
                for place in 0..<size { value = value &<< 8 | Value(truncatingIfNeeded: bytes[offset &+ place]) }
            case .littleEndian:
                for place in 0..<size {
                    value |= Value(truncatingIfNeeded: bytes[offset &+ place]) &<< Value(truncatingIfNeeded: 8 &* place)
                }
            }
            return value
        }
    }
}

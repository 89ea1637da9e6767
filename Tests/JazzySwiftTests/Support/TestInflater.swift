import CJazzyZlib

/// Decompresses the messages of one connection as a client does: each may refer to earlier ones.
final class TestInflater {
    /// zlib keeps this address, so it must not change.
    private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)

    init() throws {
        stream.initialize(to: z_stream())
        // Negative window bits: raw deflate.
        let status = inflateInit2_(stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw TestFailure("inflateInit2: error \(status)") }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// RFC 7692 §7.2.2: the four bytes that the sender left out are put back.
    func message(_ frame: TestClient.Frame) throws -> String {
        guard frame.isCompressed else { throw TestFailure("not compressed: \(frame)") }
        var input = frame.payload + [0x00, 0x00, 0xFF, 0xFF]
        let output = try [UInt8](unsafeUninitializedCapacity: 65_536) { output, length in
            let status = input.withUnsafeMutableBufferPointer { input in
                stream.pointee.next_in = input.baseAddress
                stream.pointee.avail_in = uInt(input.count)
                stream.pointee.next_out = output.baseAddress
                stream.pointee.avail_out = uInt(output.count)
                return inflate(stream, Z_SYNC_FLUSH)
            }
            guard status == Z_OK, stream.pointee.avail_in == 0 else { throw TestFailure("inflate: error \(status)") }
            length = output.count - Int(stream.pointee.avail_out)
        }
        return String(decoding: output, as: UTF8.self)
    }
}

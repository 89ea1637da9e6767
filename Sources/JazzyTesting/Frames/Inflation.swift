import CJazzyZlib

/// Decompresses messages (RFC 7692 §7.2.2). Each may refer to earlier ones, whose last 32 KiB are kept.
package struct Inflation: Sendable {
    private var window: [UInt8] = []

    package init() {}

    /// - Parameter longest: More than that is an error: of a few bytes, compression makes any number.
    package mutating func inflate(_ payload: [UInt8], to longest: Int = .max) throws -> [UInt8] {
        // The sender has left out the last four bytes.
        let output = try inflated(payload + [0x00, 0x00, 0xFF, 0xFF], behind: window, to: longest)
        window = Array((window + output).suffix(1 << MAX_WBITS))
        return output
    }
}

private func inflated(_ input: [UInt8], behind window: [UInt8], to longest: Int) throws -> [UInt8] {
    var stream = z_stream()
    // Negative window bits: raw deflate.
    guard inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
        throw JazzyTestError(.malformed, "zlib does not begin to decompress a message")
    }
    defer { inflateEnd(&stream) }
    if !window.isEmpty { inflateSetDictionary(&stream, window, uInt(window.count)) }
    var input = input
    return try input.withUnsafeMutableBufferPointer { input in
        stream.next_in = input.baseAddress
        stream.avail_in = uInt(input.count)
        var output: [UInt8] = []
        var room = 0
        repeat {
            output += try [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, length in
                stream.next_out = buffer.baseAddress
                stream.avail_out = uInt(buffer.count)
                let status = CJazzyZlib.inflate(&stream, Z_SYNC_FLUSH)
                guard status == Z_OK || status == Z_BUF_ERROR || status == Z_STREAM_END else {
                    throw JazzyTestError(.malformed, "what the server compressed does not decompress: zlib \(status)")
                }
                room = Int(stream.avail_out)
                length = buffer.count - room
            }
            guard output.count <= longest else {
                throw JazzyTestError(.malformed, "what the server compressed is longer than \(longest) bytes")
            }
        } while room == 0
        return output
    }
}

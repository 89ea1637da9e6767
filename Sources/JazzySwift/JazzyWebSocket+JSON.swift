#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension JazzyWebSocket {
    /// Sends a value as JSON, in a text message.
    ///
    /// The same value always gives the same text: keys are sorted, slashes are not escaped, and there is no white space.
    ///
    /// - Parameters:
    ///   - value: What is encoded.
    ///   - compression: Whether the message is compressed, where the route says that messages may be.
    /// - Returns: What became of it.
    /// - Throws: `EncodingError` if the value cannot be encoded; nothing is sent then.
    @discardableResult
    public func send(
        json value: some Encodable, compression: JazzyCompression = .automatic
    ) throws -> JazzySendStatus {
        send(try jsonEncoder.encode(value), kind: .text, compression: compression)
    }
}

/// Shared by all threads: it is never changed, and encoding leaves nothing behind in it.
private let jsonEncoder: JSONEncoder = {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
}()

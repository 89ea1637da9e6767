// The forms without `compression` leave it to the receivers' routes: `.automatic`.
extension JazzyPublisher where Self: ~Escapable {
    /// Publishes bytes as one message, as without `compression`: for publishers of your own that do not compress.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload.
    ///   - kind: Text or binary; anything else is dropped. The bytes of a text must be UTF-8: this is not checked.
    ///   - compression: Not used.
    /// - Returns: The result.
    @discardableResult
    public func publish(
        _ topic: String, _ bytes: RawSpan, kind: WsMessageKind, compression: JazzyCompression
    ) -> JazzySendStatus {
        publish(topic, bytes, kind: kind)
    }

    /// Publishes bytes as one binary message, compressed or not.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    ///   - compression: Whether the message is compressed, for each receiver whose route allows compression.
    /// - Returns: The result.
    @inlinable
    @discardableResult
    public func publish(_ topic: String, _ bytes: RawSpan, compression: JazzyCompression) -> JazzySendStatus {
        publish(topic, bytes, kind: .binary, compression: compression)
    }

    /// Publishes a text message, compressed or not.
    ///
    /// ```swift
    /// server.publish("sessions", "a secret", compression: .never)
    /// ```
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - text: The payload.
    ///   - compression: Whether the message is compressed, for each receiver whose route allows compression.
    /// - Returns: The result.
    @inlinable
    @discardableResult
    public func publish(_ topic: String, _ text: String, compression: JazzyCompression) -> JazzySendStatus {
        publish(topic, text.utf8, kind: .text, compression: compression)
    }

    /// Publishes bytes as one message, compressed or not.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    ///   - kind: Text or binary; anything else is dropped. The bytes of a text must be UTF-8: this is not checked.
    ///   - compression: Whether the message is compressed, for each receiver whose route allows compression.
    /// - Returns: The result.
    @inlinable
    @discardableResult
    public func publish(
        _ topic: String, _ bytes: some Sequence<UInt8>, kind: WsMessageKind = .binary, compression: JazzyCompression
    ) -> JazzySendStatus {
        let status = bytes.withContiguousStorageIfAvailable {
            publish(topic, UnsafeRawBufferPointer($0).bytes, kind: kind, compression: compression)
        }
        return status ?? publish(topic, ContiguousArray(bytes).span.bytes, kind: kind, compression: compression)
    }
}

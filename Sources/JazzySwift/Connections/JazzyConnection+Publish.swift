import CJazzyPoll

// A connection leaves itself out of what it publishes, unless it says `includingSelf`.
extension JazzyConnection where Self: ~Escapable {
    /// Publishes bytes as one message to all subscribers of a topic except this connection, compressed or not.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    ///   - kind: Text or binary; anything else is dropped. The bytes of a text must be UTF-8: this is not checked.
    ///   - compression: Whether the message is compressed, for each receiver whose route allows compression.
    /// - Returns: The result.
    @discardableResult
    public func publish(
        _ topic: String, _ bytes: RawSpan, kind: WsMessageKind, compression: JazzyCompression
    ) -> JazzySendStatus {
        publish(topic, bytes, kind: kind, includingSelf: false, compression: compression)
    }

    /// Publishes bytes as one message to all subscribers of a topic, with or without this connection.
    ///
    /// If a broker joins this server with others, the others' subscribers get it in either case.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    ///   - kind: Text or binary, which is the default; anything else is dropped. The bytes of a text must be UTF-8: this
    ///     is not checked.
    ///   - includingSelf: Whether this connection receives it, too, if it is subscribed.
    ///   - compression: Whether the message is compressed, for each receiver whose route allows compression.
    /// - Returns: The result.
    @discardableResult
    public func publish(
        _ topic: String, _ bytes: RawSpan, kind: WsMessageKind = .binary, includingSelf: Bool,
        compression: JazzyCompression = .automatic
    ) -> JazzySendStatus {
        var options = jz_publish_options()
        options.including_self = includingSelf
        options.compression = compression.core
        return withCharacters(of: topic) { name, length in
            bytes.withUnsafeBytes {
                JazzySendStatus(
                    jz_ws_publish_with(
                        webSocket.core, name, length, kind.core, $0.baseAddress, $0.count, &options))
            }
        }
    }

    /// Publishes a text message to all subscribers of a topic, with or without this connection.
    ///
    /// ```swift
    /// Route.ws("/chat") { ws, event, message in
    ///     if event == .open { ws.subscribe("chat") }
    ///     guard event == .message, message.kind == .text else { return }
    ///     ws.publish("chat", message.text, includingSelf: true)
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - text: The payload.
    ///   - includingSelf: Whether this connection receives it, too, if it is subscribed.
    ///   - compression: Whether the message is compressed, for each receiver whose route allows compression.
    /// - Returns: The result.
    @inlinable
    @discardableResult
    public func publish(
        _ topic: String, _ text: String, includingSelf: Bool, compression: JazzyCompression = .automatic
    ) -> JazzySendStatus {
        publish(topic, text.utf8, kind: .text, includingSelf: includingSelf, compression: compression)
    }

    /// Publishes bytes as one message to all subscribers of a topic, with or without this connection.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - bytes: The payload, which is copied.
    ///   - kind: Text or binary, which is the default; anything else is dropped. The bytes of a text must be UTF-8: this
    ///     is not checked.
    ///   - includingSelf: Whether this connection receives it, too, if it is subscribed.
    ///   - compression: Whether the message is compressed, for each receiver whose route allows compression.
    /// - Returns: The result.
    @inlinable
    @discardableResult
    public func publish(
        _ topic: String, _ bytes: some Sequence<UInt8>, kind: WsMessageKind = .binary, includingSelf: Bool,
        compression: JazzyCompression = .automatic
    ) -> JazzySendStatus {
        let status = bytes.withContiguousStorageIfAvailable {
            publish(
                topic, UnsafeRawBufferPointer($0).bytes, kind: kind, includingSelf: includingSelf,
                compression: compression)
        }
        return status
            ?? publish(
                topic, ContiguousArray(bytes).span.bytes, kind: kind, includingSelf: includingSelf,
                compression: compression)
    }
}

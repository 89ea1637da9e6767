#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension JazzyConnection where Self: ~Escapable {
    /// Sends a value as JSON, in a text message.
    ///
    /// It is encoded with the coders of the route, ``JazzyRouteOptions/coders``: unless it says otherwise, the same value
    /// always gives the same text.
    ///
    /// - Parameters:
    ///   - value: The value to encode.
    ///   - compression: Whether the message is compressed, if the route allows compression.
    /// - Returns: The result.
    /// - Throws: `EncodingError` if the value cannot be encoded; nothing is sent then.
    @discardableResult
    public func send(
        json value: some Encodable, compression: JazzyCompression = .automatic
    ) throws -> JazzySendStatus {
        send(try coders.encoder().encode(value), kind: .text, compression: compression)
    }
}

extension JazzyPublisher where Self: ~Escapable {
    /// Publishes a value as JSON, in a text message, encoded once with ``coders``: those of the connection's route, or of
    /// the server.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - value: The value to encode.
    /// - Returns: The result.
    /// - Throws: `EncodingError` if the value cannot be encoded; nothing is published then.
    @discardableResult
    public func publish(_ topic: String, json value: some Encodable) throws -> JazzySendStatus {
        publish(topic, try coders.encoder().encode(value), kind: .text)
    }
}

extension JazzyPublisher where Self: ~Escapable {
    /// Publishes a value as JSON, in a text message, compressed or not.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - value: The value to encode.
    ///   - compression: Whether the message is compressed, for each receiver whose route allows compression.
    /// - Returns: The result.
    /// - Throws: `EncodingError` if the value cannot be encoded; nothing is published then.
    @discardableResult
    public func publish(
        _ topic: String, json value: some Encodable, compression: JazzyCompression
    ) throws -> JazzySendStatus {
        publish(topic, try coders.encoder().encode(value), kind: .text, compression: compression)
    }
}

extension JazzyConnection where Self: ~Escapable {
    /// Publishes a value as JSON, in a text message, to all subscribers of a topic, with or without this connection.
    ///
    /// - Parameters:
    ///   - topic: Any string, compared byte by byte.
    ///   - value: The value to encode.
    ///   - includingSelf: Whether this connection receives it, too, if it is subscribed.
    ///   - compression: Whether the message is compressed, for each receiver whose route allows compression.
    /// - Returns: The result.
    /// - Throws: `EncodingError` if the value cannot be encoded; nothing is published then.
    @discardableResult
    public func publish(
        _ topic: String, json value: some Encodable, includingSelf: Bool, compression: JazzyCompression = .automatic
    ) throws -> JazzySendStatus {
        publish(
            topic, try coders.encoder().encode(value), kind: .text, includingSelf: includingSelf,
            compression: compression)
    }
}

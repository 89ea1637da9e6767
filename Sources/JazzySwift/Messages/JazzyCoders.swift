#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// How values are written as JSON, and read from it: by ``JazzyConnection/send(json:compression:)``,
/// ``JazzyPublisher/publish(_:json:)``, ``WsMessage/decode(_:)`` and ``WsOwnedMessage/decode(_:)``.
///
/// ``default`` writes the same value always as the same text: with sorted keys, without white space, and without
/// escaped slashes. Dates are texts as in ISO 8601, such as `2026-03-01T09:30:00Z`; in what is read, seconds may have
/// a fraction. Others begin with that, and change what they like:
///
/// ```swift
/// import Foundation
///
/// let snakeCase = JazzyCoders { encoder in
///     encoder.keyEncodingStrategy = .convertToSnakeCase
/// } decoder: { decoder in
///     decoder.keyDecodingStrategy = .convertFromSnakeCase
/// }
/// struct Move: Codable { var playerName: String; var at: Date }
///
/// Route.ws("/moves", options: JazzyRouteOptions(coders: snakeCase)) { ws, event, message in
///     guard event == .message, message.kind == .text else { return }
///     let move = try message.decode(Move.self)     // {"player_name":"Ada","at":"2026-03-01T09:30:00Z"}
///     try ws.publish("moves", json: move)
/// }
/// ```
///
/// Each value has an encoder or decoder of its own, which costs a tenth of a microsecond: so threads share nothing, and
/// wait for nothing. Coders equal their copies, and no others; but all defaults are equal.
public struct JazzyCoders: Sendable {
    /// `nil`: none.
    private let changes: Changes?

    private final class Changes: Sendable {
        let encoder: @Sendable (JSONEncoder) -> Void
        let decoder: @Sendable (JSONDecoder) -> Void

        init(_ encoder: @escaping @Sendable (JSONEncoder) -> Void, _ decoder: @escaping @Sendable (JSONDecoder) -> Void)
        {
            self.encoder = encoder
            self.decoder = decoder
        }
    }

    private init(_ changes: Changes?) {
        self.changes = changes
    }

    /// Sorted keys, no white space, no escaped slashes, and dates as in ISO 8601.
    public static let `default` = JazzyCoders(nil)

    /// Creates coders that differ from ``default``.
    ///
    /// - Parameters:
    ///   - encoder: Changes a new encoder, which is as for ``default``. Called for each value, on the thread that sends
    ///     or publishes it.
    ///   - decoder: Changes a new decoder, which is as for ``default``. Called for each value, on the thread that reads
    ///     it.
    public init(
        encoder: @escaping @Sendable (_ encoder: JSONEncoder) -> Void = { _ in },
        decoder: @escaping @Sendable (_ decoder: JSONDecoder) -> Void = { _ in }
    ) {
        changes = Changes(encoder, decoder)
    }

    /// A new encoder.
    public func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        changes?.encoder(encoder)
        return encoder
    }

    /// A new decoder.
    public func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom(decodedDate)
        changes?.decoder(decoder)
        return decoder
    }

    func decode<Value: Decodable>(_ type: Value.Type, from bytes: UnsafeRawBufferPointer) throws -> Value {
        let data = Data(bytes)
        do {
            return try decoder().decode(type, from: data)
        } catch let error as DecodingError {
            throw WsDecodingError(error, of: type, isJSON: (try? decoder().decode(Anything.self, from: data)) != nil)
        }
    }
}

/// Any JSON.
private struct Anything: Decodable {
    init(from decoder: any Decoder) {}
}

/// What `.iso8601` does, but its errors do not say where.
@Sendable
private func decodedDate(_ decoder: any Decoder) throws -> Date {
    let text = try decoder.singleValueContainer().decode(String.self)
    for style in [Date.ISO8601FormatStyle(), .init(includingFractionalSeconds: true)] {
        if let date = try? style.parse(text) { return date }
    }
    throw DecodingError.typeMismatch(
        Date.self, DecodingError.Context(codingPath: decoder.codingPath, debugDescription: "no date as in ISO 8601"))
}

extension JazzyCoders: Equatable {
    /// Whether one is a copy of the other, or both are ``default``.
    public static func == (one: JazzyCoders, other: JazzyCoders) -> Bool { one.changes === other.changes }
}

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Somebody who is there: a member of a topic. ``JazzyConnection/subscribe(_:as:)-(_,JazzyMember)``,
/// ``JazzyServer/members(of:)``.
///
/// ```swift
/// Route.ws("/room/:id") { ws, event, message in
///     guard event == .open, let room = ws.parameters["id"] else { return }
///     let user = ws.request?.queryValue("user") ?? "guest"
///     try ws.subscribe("room/" + room, as: JazzyMember(key: user, info: "online"))
/// }
/// ```
public struct JazzyMember: Hashable, Sendable {
    /// Who it is: connections with the same key are one member of a topic. Up to 256 bytes. Empty for
    /// ``JazzyConnection/subscribe(_:as:)-(_,JazzyMember)``: the connection is a member of its own, and the server makes
    /// a key of 32 characters.
    public var key: String
    /// What is told of it: bytes that mean nothing to the server, up to ``JazzyOptions/maxMemberInfo``.
    public var info: [UInt8]

    /// Creates a member.
    ///
    /// - Parameters:
    ///   - key: Who it is. The default is empty: a member of its own.
    ///   - info: What is told of it. The default is nothing.
    public init(key: String = "", info: some Sequence<UInt8> = [UInt8]()) {
        self.key = key
        self.info = Array(info)
    }

    /// Creates a member of which a text is told.
    ///
    /// - Parameters:
    ///   - key: Who it is. The default is empty: a member of its own.
    ///   - info: What is told of it.
    public init(key: String = "", info: String) {
        self.init(key: key, info: info.utf8)
    }

    /// Creates a member of which a value is told, as JSON.
    ///
    /// - Parameters:
    ///   - key: Who it is. The default is empty: a member of its own.
    ///   - value: What is told of it.
    ///   - coders: How it is encoded. The default is ``JazzyCoders/default``.
    /// - Throws: `EncodingError` if the value cannot be encoded.
    public init(key: String = "", json value: some Encodable, coders: JazzyCoders = .default) throws {
        self.init(key: key, info: try coders.encoder().encode(value))
    }

    /// ``info`` as text; where it is not UTF-8, with replacement characters.
    public var text: String { String(decoding: info, as: UTF8.self) }

    /// Decodes ``info`` from JSON.
    ///
    /// - Parameters:
    ///   - type: The type of the value.
    ///   - coders: How it is decoded. The default is ``JazzyCoders/default``.
    /// - Returns: The value.
    /// - Throws: ``WsDecodingError`` if it is no such value.
    public func decode<Value: Decodable>(_ type: Value.Type, coders: JazzyCoders = .default) throws -> Value {
        try info.withUnsafeBytes { try coders.decode(type, from: $0) }
    }
}

/// Who has come to a topic and who has left it, since it was told last: ``JazzyServer/onPresence(prefix:_:)``,
/// ``JazzyServer/presence(of:)``.
public struct JazzyPresenceChange: Hashable, Sendable {
    /// The topic.
    public let topic: String
    /// Who has come, or has another ``JazzyMember/info`` now: who keeps a list replaces what it has under that key.
    public let joined: [JazzyMember]
    /// Who has left, with what was told of them last.
    public let left: [JazzyMember]
    /// How many are there, with this change.
    public let memberCount: Int
}

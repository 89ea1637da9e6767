/// A layer between the server's connections and their sockets, such as TLS.
///
/// Another module creates one, and ``JazzyAddress/over(_:_:)`` says which address uses it:
///
/// ```swift
/// func listen(_ server: JazzyServer, with tls: JazzyTransport) throws {
///     try server.listen(on: [.port(8080), .over(tls, .port(8443))])
/// }
/// ```
///
/// Everything else is the same for all connections, with any transport: events, limits, time-outs, addresses. A
/// transport equals its copies, and no other.
public struct JazzyTransport: Sendable {
    let table: TransportTable
}

extension JazzyTransport: Hashable {
    /// Whether one is a copy of the other.
    public static func == (one: JazzyTransport, other: JazzyTransport) -> Bool { one.table === other.table }

    /// Copies have the same hash.
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(table)) }
}

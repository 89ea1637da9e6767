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
/// transport equals its copies. Those that are made when a server begins to listen are equal if their ids are.
public struct JazzyTransport: Sendable {
    /// The functions, or how they are made.
    enum Source: Sendable {
        case table(TransportTable)
        case maker(id: any Hashable & Sendable, make: Make)
    }

    /// Makes a transport for a server with these options.
    public typealias Make = @Sendable (_ options: JazzyOptions) throws(JazzyError) -> JazzyTransport

    let source: Source

    init(source: Source) {
        self.source = source
    }

    /// Creates a transport that is made only when a server begins to listen, so that what is wrong with it, such as a
    /// certificate that cannot be read, is thrown there.
    ///
    /// ```swift
    /// func deferred(_ path: String, _ read: @escaping JazzyTransport.Make) -> JazzyTransport {
    ///     JazzyTransport(id: path, make: read)
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - id: Tells such transports apart: those with equal ids of the same type are equal.
    ///   - make: Called each time a server begins to listen, before it opens anything, on the thread of that call; with
    ///     the server's options, for instance for its log. It returns a transport that is not deferred itself.
    public init(id: some Hashable & Sendable, make: @escaping Make) {
        self.init(source: .maker(id: id, make: make))
    }
}

extension JazzyTransport: Hashable {
    /// Whether one is a copy of the other, or both have equal ids.
    public static func == (one: JazzyTransport, other: JazzyTransport) -> Bool {
        switch (one.source, other.source) {
        case (.table(let one), .table(let other)): one === other
        case (.maker(let one, _), .maker(let other, _)):
            // 1 and 1.0 are equal as AnyHashable.
            type(of: one) == type(of: other) && AnyHashable(one) == AnyHashable(other)
        case (.table, .maker), (.maker, .table): false
        }
    }

    /// Equal ones have the same hash.
    public func hash(into hasher: inout Hasher) {
        switch source {
        case .table(let table): hasher.combine(ObjectIdentifier(table))
        case .maker(let id, _): hasher.combine(AnyHashable(id))
        }
    }
}

import CJazzyPoll

extension JazzyRequest {
    /// Copies the core's request, which is borrowed for one call of the hook or of the handler.
    init(_ core: OpaquePointer) {
        self.init(
            path: String(jz_request_path(core)),
            query: String(jz_request_query(core)),
            parameters: Self.parameters(of: core),
            headers: JazzyHeaders(Self.pairs(of: core, jz_request_header_at).map { JazzyHeader($0, $1) }),
            subprotocols: Self.subprotocols(of: core),
            remoteAddress: Self.remoteAddress(of: core),
            route: String(jz_request_route(core)),
            isSecure: jz_request_is_secure(core),
            transportProperties: Dictionary(
                grouping: Self.pairs(of: core, jz_request_property_at), by: \.0
            ).mapValues { $0.map(\.1) },
            isFromLoopback: jz_request_is_from_loopback(core))
    }

    static func parameters(of core: OpaquePointer) -> [String: String] {
        Dictionary(pairs(of: core, jz_request_parameter_at), uniquingKeysWith: { first, _ in first })
    }

    private typealias PairFunction = (
        OpaquePointer?, Int, UnsafeMutablePointer<jz_string>?, UnsafeMutablePointer<jz_string>?
    ) -> Bool

    private static func pairs(of core: OpaquePointer, _ pairAt: PairFunction) -> [(String, String)] {
        var pairs: [(String, String)] = []
        var (name, value) = (jz_string(), jz_string())
        while pairAt(core, pairs.count, &name, &value) { pairs.append((String(name), String(value))) }
        return pairs
    }

    private static func subprotocols(of core: OpaquePointer) -> [String] {
        var subprotocols: [String] = []
        var subprotocol = jz_string()
        while jz_request_subprotocol_at(core, subprotocols.count, &subprotocol) {
            subprotocols.append(String(subprotocol))
        }
        return subprotocols
    }

    private static func remoteAddress(of core: OpaquePointer) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(JZ_REMOTE_ADDRESS_SIZE)) { text in
            guard let start = text.baseAddress, jz_request_remote_address(core, start) > 0 else { return "" }
            return String(cString: start)
        }
    }
}

extension String {
    fileprivate init(_ core: jz_string) {
        self.init(decoding: UnsafeRawBufferPointer(start: core.start, count: core.length), as: UTF8.self)
    }
}

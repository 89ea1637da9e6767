import CJazzyPoll
internal import JazzyPlatform

/// An address, and the functions of its transport.
struct PreparedAddress {
    let address: JazzyAddress
    let table: TransportTable?

    init(_ address: JazzyAddress, for options: JazzyOptions) throws(JazzyError) {
        self.address = address
        guard address.transports.count <= 1 else {
            throw JazzyError(.invalidAddress, "an address has two transports, one over the other; name one of them")
        }
        table = try address.transports.first?.table(for: options)
    }
}

/// Listens on all addresses. If one fails, the core closes all that was opened.
func listen(_ core: OpaquePointer, on addresses: [PreparedAddress]) throws(JazzyError) {
    guard !addresses.isEmpty else { throw JazzyError(.invalidAddress, "there is no address to listen on") }
    for prepared in addresses {
        try prepared.address.listen(core, prepared.table?.listenOptions ?? jz_listen_options())
    }
    // The core owns copies of these descriptors, so the originals are closed.
    for descriptor in Set(addresses.compactMap(\.address.descriptor)) { close(descriptor) }
}

extension JazzyAddress {
    fileprivate var descriptor: Int32? {
        guard case .descriptor(let descriptor) = place else { return nil }
        return descriptor
    }

    fileprivate func listen(_ core: OpaquePointer, _ options: jz_listen_options) throws(JazzyError) {
        var options = options
        switch place {
        case .port(let port, let host): try Self.listen(core, host, port, options)
        case .unix(let path, let mode, let owner): try Self.listen(core, path, mode, owner, options)
        case .descriptor(let descriptor):
            let copy = try Self.copy(descriptor)
            try check { jz_server_listen_descriptor_with(core, copy, &options, $0) }
        case .activated: try check { jz_server_listen_activated_with(core, &options, $0) }
        }
    }

    private static func listen(
        _ core: OpaquePointer, _ host: String?, _ port: Int, _ options: jz_listen_options
    ) throws(JazzyError) {
        try requireNoNUL(host ?? "", "the host", .invalidAddress)
        guard let port = UInt16(exactly: port) else {
            throw JazzyError(.invalidAddress, "the port is \(port); it must be 0 to 65535")
        }
        var options = options
        try check { jz_server_listen_with(core, host, port, &options, $0) }
    }

    private static func listen(
        _ core: OpaquePointer, _ path: String, _ mode: Int?, _ owner: String?, _ listening: jz_listen_options
    ) throws(JazzyError) {
        try requireNoNUL(path, "the path of a socket", .invalidAddress)
        try requireNoNUL(owner ?? "", "the owner of a socket", .invalidAddress)
        if let mode, !(1...0o777).contains(mode) {
            throw JazzyError(
                .invalidAddress,
                "the mode of a socket is 0o\(String(mode, radix: 8)); it has to be from 0o1 to 0o777, or nil for what "
                    + "the umask leaves")
        }
        let mode = UInt32(mode ?? 0)
        guard let owner else {
            var options = jz_unix_options(mode: mode, owner: nil, listening: listening)
            return try check { jz_server_listen_unix_with(core, path, &options, $0) }
        }
        try check { error in
            owner.withCString {
                var options = jz_unix_options(mode: mode, owner: $0, listening: listening)
                return jz_server_listen_unix_with(core, path, &options, error)
            }
        }
    }

    /// The core closes a descriptor even if listening fails. With a copy the user's descriptor stays open until all has
    /// succeeded.
    private static func copy(_ descriptor: Int32) throws(JazzyError) -> Int32 {
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else {
            let reason = String(cString: strerror(errno))
            let code: JazzyError.Code = errno == EMFILE ? .noDescriptors : .invalidAddress
            throw JazzyError(code, "the descriptor \(descriptor) cannot be listened on: \(reason)")
        }
        return copy
    }
}

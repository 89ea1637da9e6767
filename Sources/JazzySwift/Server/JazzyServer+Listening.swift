// The forms with a host and a port call those with addresses.
extension JazzyServer {
    /// Binds and listens. From then on the kernel queues connections until the server runs.
    ///
    /// ```swift
    /// try server.listen(on: [.port(8080), .unix("/run/app.sock")])
    /// ```
    ///
    /// - Parameter addresses: At least one, and at most 16 sockets. If one of them fails, the server listens on none.
    /// - Throws: ``JazzyError`` if an option, a route or an address is invalid, if an address is in use, or if the
    ///   server listens already.
    public func listen(on addresses: [JazzyAddress]) throws(JazzyError) {
        try listen(on: addresses, options: options)
    }

    /// Binds and listens. From then on the kernel queues connections until the server runs.
    ///
    /// - Parameters:
    ///   - host: An IPv4 or IPv6 address or a name; `nil` means every address of this machine, IPv4 and IPv6.
    ///   - port: 0 to 65,535; with 0, the default, the kernel chooses a free one: see ``port``.
    /// - Throws: ``JazzyError``, as ``listen(on:)``.
    public func listen(host: String? = nil, port: Int = 0) throws(JazzyError) {
        try listen(on: [.port(port, host: host)])
    }

    /// Listens, and runs the server on the calling thread until Ctrl-C (SIGINT) or SIGTERM, as ``runUntilSignal()``
    /// does. Asynchronous code has ``run(on:grace:untilSignal:)``.
    ///
    /// - Parameter addresses: As for ``listen(on:)``.
    /// - Throws: ``JazzyError``, as ``listen(on:)``.
    @available(*, noasync, message: "use run(on:untilSignal: true)")
    public func serve(on addresses: [JazzyAddress]) throws(JazzyError) {
        try listen(on: addresses)
        try runUntilSignal()
    }

    /// Listens, and runs the server on the calling thread until Ctrl-C (SIGINT) or SIGTERM, as ``runUntilSignal()``
    /// does. Asynchronous code has ``run(host:port:grace:untilSignal:)``.
    ///
    /// - Parameters:
    ///   - host: An IPv4 or IPv6 address or a name; `nil` means every address of this machine, IPv4 and IPv6.
    ///   - port: 0 to 65,535; with 0 the kernel chooses a free one: see ``port``.
    /// - Throws: ``JazzyError``, as ``listen(on:)``.
    @available(*, noasync, message: "use run(host:port:untilSignal: true)")
    public func serve(host: String? = nil, port: Int) throws(JazzyError) {
        try serve(on: [.port(port, host: host)])
    }

    /// Listens, and runs the server on threads of its own.
    ///
    /// - Parameter addresses: As for ``listen(on:)``.
    /// - Throws: ``JazzyError``, as ``listen(on:)``.
    public func start(on addresses: [JazzyAddress]) throws(JazzyError) {
        try listen(on: addresses)
        try runOnOwnThreads()
    }

    /// Listens, and runs the server on threads of its own.
    ///
    /// - Parameters:
    ///   - host: An IPv4 or IPv6 address or a name; `nil` means every address of this machine, IPv4 and IPv6.
    ///   - port: 0 to 65,535; with 0, the default, the kernel chooses a free one: see ``port``.
    /// - Throws: ``JazzyError``, as ``listen(on:)``.
    public func start(host: String? = nil, port: Int = 0) throws(JazzyError) {
        try start(on: [.port(port, host: host)])
    }
}

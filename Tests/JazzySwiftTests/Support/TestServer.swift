import JazzySwift

extension JazzyOptions {
    /// A server with these ends no connection because its client says nothing.
    static let patient = {
        var options = Self()
        options.handshakeTimeout = .seconds(3_600)
        return options
    }()
}

/// Runs a server on a free port of the loopback interface for as long as `body` takes.
func withServer(
    options: JazzyOptions = JazzyOptions(), routes: (JazzyServer) -> Void, body: (JazzyServer) throws -> Void
) throws {
    let server = JazzyServer(options: options)
    routes(server)
    try server.start(host: "127.0.0.1", port: 0)
    defer {
        server.stop()
        server.wait()
    }
    try body(server)
}

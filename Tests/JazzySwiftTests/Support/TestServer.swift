import JazzySwift

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

import CJazzyPoll

extension MetricsRoute {
    func register(on core: OpaquePointer, of server: JazzyOptions) throws(JazzyError) -> (any AnyObject & Sendable)? {
        try requireNoNUL(path, "a route's path", .invalidRoute)
        try check { jz_server_route_metrics(core, path, $0) }
        return nil
    }
}

extension HealthRoute {
    func register(on core: OpaquePointer, of server: JazzyOptions) throws(JazzyError) -> (any AnyObject & Sendable)? {
        try requireNoNUL(path, "a route's path", .invalidRoute)
        try check { jz_server_route_health(core, path, $0) }
        return nil
    }
}

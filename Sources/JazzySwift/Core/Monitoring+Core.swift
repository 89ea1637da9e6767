import CJazzyPoll

extension MetricsRoute {
    func register(on core: OpaquePointer, of server: JazzyOptions) throws(JazzyError) -> (any AnyObject & Sendable)? {
        try requireNoNUL(path, "a route's path", .invalidRoute)
        let context = audience.context
        try audience.withCore(context) { audience throws(JazzyError) in
            try check { jz_server_route_metrics_for(core, path, audience, $0) }
        }
        return context
    }
}

extension HealthRoute {
    func register(on core: OpaquePointer, of server: JazzyOptions) throws(JazzyError) -> (any AnyObject & Sendable)? {
        try requireNoNUL(path, "a route's path", .invalidRoute)
        try check { jz_server_route_health(core, path, $0) }
        return nil
    }
}

import CJazzyPoll

extension NotFoundRoute {
    func register(on core: OpaquePointer, of server: JazzyOptions) throws(JazzyError) -> (any AnyObject & Sendable)? {
        guard content.file == nil else {
            throw JazzyError(
                .invalidRoute, "the page for what is not found comes from memory; read the file, and give its bytes")
        }
        try requireNoNUL(content.contentType, "the content type of what is not found", .invalidRoute)
        try check {
            jz_server_route_not_found(core, content.contentType, content.body, content.body.count, $0)
        }
        return nil
    }
}

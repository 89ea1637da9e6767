import CJazzyPoll

extension WebSocketRoute {
    func register(on core: OpaquePointer, of server: JazzyOptions) throws(JazzyError) -> (any AnyObject & Sendable)? {
        try requireNoNUL(path, "a route's path", .invalidRoute)
        try requireThatDropsAreReported()
        let context = HandlerContext(
            path: path, closures: closures, coders: options.coders ?? server.coders,
            tellsTexts: server.logLevel == .debug)
        let contextPointer = Unmanaged.passUnretained(context).toOpaque()
        try options.withCore(path: path) { coreOptions throws(JazzyError) in
            coreOptions.release_state = releaseState
            if closures.decision != nil {
                coreOptions.upgrade = HandlerContext.upgradeCallback
                coreOptions.upgrade_ended = HandlerContext.upgradeEndCallback
            }
            // The tasks do not get any.
            if closures.asynchronous != nil { coreOptions.control_messages = false }
            if closures.onDrain != nil { coreOptions.drained = HandlerContext.drainCallback }
            if closures.onDrop != nil { coreOptions.dropped = HandlerContext.dropCallback }
            try check {
                jz_server_route_ws(core, path, &coreOptions, HandlerContext.callback, contextPointer, $0)
            }
        }
        return context
    }
}

extension PageRoute {
    func register(on core: OpaquePointer, of server: JazzyOptions) throws(JazzyError) -> (any AnyObject & Sendable)? {
        try requireNoNUL(path, "a route's path", .invalidRoute)
        if let file = content.file {
            try registerFile(file, on: core)
            return nil
        }
        try requireNoNUL(content.contentType, "the content type of \(path)", .invalidRoute)
        try check {
            jz_server_route_get(core, path, content.contentType, content.body, content.body.count, $0)
        }
        return nil
    }
}

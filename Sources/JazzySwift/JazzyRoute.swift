import CJazzyPoll

/// A route as it was asked for. It is checked when the server starts to listen.
///
/// Structures, and not the cases of one enumeration: an enumeration may mark its case in unused bits of a pointer,
/// where LeakSanitizer does not see the pointer any more and takes a page's bytes for lost.
protocol JazzyRoute: Sendable {
    var path: String { get }

    /// Returns what must live for as long as the core server does, if there is such a thing. `tellingTexts` is whether
    /// the log is told the texts of errors.
    func register(on core: OpaquePointer, tellingTexts: Bool) throws(JazzyError) -> HandlerContext?
}

struct WebSocketRoute: JazzyRoute {
    let path: String
    let options: JazzyRouteOptions
    let closures: RouteClosures

    func register(on core: OpaquePointer, tellingTexts: Bool) throws(JazzyError) -> HandlerContext? {
        try requireNoNUL(path, "a route's path", .invalidRoute)
        try requireThatDropsAreReported()
        let context = HandlerContext(path: path, closures: closures, tellsTexts: tellingTexts)
        let contextPointer = Unmanaged.passUnretained(context).toOpaque()
        try options.withCore(path: path) { coreOptions throws(JazzyError) in
            coreOptions.release_state = releaseState
            if closures.upgrade != nil {
                coreOptions.upgrade = HandlerContext.upgradeCallback
                coreOptions.upgrade_ended = HandlerContext.upgradeEndCallback
            }
            if closures.onDrain != nil { coreOptions.drained = HandlerContext.drainCallback }
            if closures.onDrop != nil { coreOptions.dropped = HandlerContext.dropCallback }
            try check {
                jz_server_route_ws(core, path, &coreOptions, HandlerContext.callback, contextPointer, $0)
            }
        }
        return context
    }

    /// Otherwise who asks to be called would wait in vain.
    private func requireThatDropsAreReported() throws(JazzyError) {
        let policy = options.backpressurePolicy
        guard closures.onDrop == nil || policy == .report else {
            throw JazzyError(
                .invalidOption,
                "option backpressurePolicy of the route \(path) is .\(policy); with onDrop it has to be .report")
        }
    }
}

struct PageRoute: JazzyRoute {
    let path: String
    let content: JazzyContent

    func register(on core: OpaquePointer, tellingTexts: Bool) throws(JazzyError) -> HandlerContext? {
        try requireNoNUL(path, "a route's path", .invalidRoute)
        try requireNoNUL(content.contentType, "the content type of \(path)", .invalidRoute)
        try check {
            jz_server_route_get(core, path, content.contentType, content.body, content.body.count, $0)
        }
        return nil
    }
}

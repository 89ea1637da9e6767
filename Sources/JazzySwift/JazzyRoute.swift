import CJazzyPoll

/// A route as it was asked for. It is checked when the server starts to listen.
enum JazzyRoute: Sendable {
    case webSocket(path: String, options: JazzyRouteOptions, handler: JazzyHandler)
    case get(path: String, content: JazzyContent)

    var path: String {
        switch self {
        case .webSocket(let path, _, _), .get(let path, _): path
        }
    }

    /// Returns what must live for as long as the core server does, if there is such a thing.
    func register(on core: OpaquePointer, log: @escaping JazzyLog) throws(JazzyError) -> HandlerContext? {
        try requireNoNUL(path, "a route's path", .invalidRoute)
        switch self {
        case .webSocket(let path, let options, let handler):
            var coreOptions = try options.core(path: path)
            let context = HandlerContext(path: path, handler: handler, log: log)
            let contextPointer = Unmanaged.passUnretained(context).toOpaque()
            try check {
                jz_server_route_ws(core, path, &coreOptions, HandlerContext.callback, contextPointer, $0)
            }
            return context
        case .get(let path, let content):
            try requireNoNUL(content.contentType, "the content type of \(path)", .invalidRoute)
            try check {
                jz_server_route_get(core, path, content.contentType, content.body, content.body.count, $0)
            }
            return nil
        }
    }
}

/// A registered route. It is checked when the server starts to listen.
///
/// Structures instead of cases of an enumeration: an enumeration may store its case in unused bits of a pointer; then
/// LeakSanitizer does not recognize the pointer, and reports a page's bytes as leaked.
protocol JazzyRoute: Sendable {
    var path: String { get }

    /// Returns an object that must live as long as the core server, if there is one. `server`: the server's options.
    func register(on core: OpaquePointer, of server: JazzyOptions) throws(JazzyError) -> (any AnyObject & Sendable)?
}

struct WebSocketRoute: JazzyRoute {
    let path: String
    let options: JazzyRouteOptions
    let closures: RouteClosures

    /// Otherwise `onDrop` would never be called.
    func requireThatDropsAreReported() throws(JazzyError) {
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
}

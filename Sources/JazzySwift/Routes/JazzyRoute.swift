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

    /// Otherwise who asks to be called would wait in vain.
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

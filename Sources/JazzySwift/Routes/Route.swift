/// Registers routes of the default application, which ``Jazzy/run(host:port:options:grace:)`` and
/// ``Jazzy/serve(host:port:options:)`` serve.
public enum Route {
    /// Registers a WebSocket route.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query. In
    ///     `/room/:id` the segment `:id` is a parameter: it matches any one non-empty segment, and is in
    ///     ``JazzyRequest/parameters``. In `/files/*rest` the last segment is a catch-all: it matches one or more,
    ///     and is there, too. Paths without parameters are tried first, and those with a catch-all last.
    ///   - options: The options of the route.
    ///   - upgrade: Decides which clients are let in; `nil` lets in all that ``JazzyRouteOptions/origins`` allows.
    ///   - onDrain: Called when the unsent output of a connection has fallen to half of its backpressure limit, after
    ///     it was above.
    ///   - onDrop: Called when one or several messages for a connection were dropped, once until its output has
    ///     drained. It requires the policy ``JazzyBackpressurePolicy/report``.
    ///   - handler: Called when something happens to a connection of the route.
    public static func ws(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), upgrade: JazzyUpgradeHook? = nil,
        onDrain: JazzyOutputHandler? = nil, onDrop: JazzyOutputHandler? = nil, _ handler: @escaping JazzyHandler
    ) {
        Jazzy.server.ws(path, options: options, upgrade: upgrade, onDrain: onDrain, onDrop: onDrop, handler)
    }

    /// Registers a page: GET and HEAD requests for the path are answered with this content.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and may have parameters, like that of a WebSocket route. It may also be the path of
    ///     one.
    ///   - content: The content of the response.
    public static func get(_ path: String, _ content: JazzyContent) {
        Jazzy.server.get(path, content)
    }
}

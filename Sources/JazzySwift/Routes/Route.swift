/// Registers routes of the default application, which ``Jazzy/serve(host:port:options:)`` and
/// ``Jazzy/serve(on:options:)`` serve.
public enum Route {
    /// Registers a WebSocket route.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query. In
    ///     `/room/:id` the segment `:id` is a parameter: it takes any one segment that is not empty, and is in
    ///     ``JazzyRequest/parameters``. A path without parameters goes before one that matches with them.
    ///   - options: What can be chosen about the route.
    ///   - upgrade: Decides who is let in; `nil` lets in everybody that ``JazzyRouteOptions/origins`` allows.
    ///   - onDrain: Called when the unsent output of a connection has fallen below half of its backpressure limit,
    ///     after it had been above.
    ///   - onDrop: Called when a message for a connection, or several, were dropped, once until its output has drained.
    ///     It takes the policy ``JazzyBackpressurePolicy/report``.
    ///   - handler: Called when something happens to a connection of the route.
    public static func ws(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), upgrade: JazzyUpgradeHook? = nil,
        onDrain: JazzyOutputHandler? = nil, onDrop: JazzyOutputHandler? = nil, _ handler: @escaping JazzyHandler
    ) {
        Jazzy.server.ws(path, options: options, upgrade: upgrade, onDrain: onDrain, onDrop: onDrop, handler)
    }

    /// Registers a page: GET and HEAD of the path are answered with this content, from memory.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and may have parameters, as that of a WebSocket route, whose path it may also be.
    ///   - content: What is answered.
    public static func get(_ path: String, _ content: JazzyContent) {
        Jazzy.server.get(path, content)
    }
}

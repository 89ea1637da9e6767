/// Registers routes of the default application, which ``Jazzy/serve(host:port:options:)`` serves.
public enum Route {
    /// Registers a WebSocket route.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`, and is compared byte by byte with the request's path, without its query.
    ///   - options: What can be chosen about the route.
    ///   - handler: Called when something happens to a connection of the route.
    public static func ws(
        _ path: String, options: JazzyRouteOptions = JazzyRouteOptions(), _ handler: @escaping JazzyHandler
    ) {
        Jazzy.server.ws(path, options: options, handler)
    }

    /// Registers a page: GET and HEAD of the path are answered with this content, from memory.
    ///
    /// - Parameters:
    ///   - path: Begins with `/`. It may also be the path of a WebSocket route.
    ///   - content: What is answered.
    public static func get(_ path: String, _ content: JazzyContent) {
        Jazzy.server.get(path, content)
    }
}

extension JazzyServer {
    /// Registers the page for what is not found: requests whose path leads to no route are answered with status 404 and
    /// this content, instead of a short text.
    ///
    /// ```swift
    /// Route.get("/", .html("<h1>Welcome</h1>"))
    /// Route.notFound(.html("<h1>Nothing here</h1>"))
    /// ```
    ///
    /// A server has one such page. Requests for a WebSocket get the short text, because no browser shows them anything.
    /// Either way they are counted: ``JazzyRefusal/notFound``.
    ///
    /// - Parameter content: The content of the response.
    public func notFound(_ content: JazzyContent) {
        add(NotFoundRoute(content: content))
    }
}

extension Route {
    /// Registers the page for what is not found: requests whose path leads to no route are answered with status 404 and
    /// this content, instead of a short text.
    ///
    /// See ``JazzyServer/notFound(_:)``.
    ///
    /// - Parameter content: The content of the response.
    public static func notFound(_ content: JazzyContent) {
        Jazzy.server.notFound(content)
    }
}

/// The page for what is not found.
struct NotFoundRoute: JazzyRoute {
    let content: JazzyContent

    /// Only for the log: no path is registered.
    var path: String { "of what is not found" }
}

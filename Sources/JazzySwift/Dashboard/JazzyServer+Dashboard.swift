extension JazzyServer {
    /// Registers a page that shows what the server does, once a second: for its operator.
    ///
    /// ```swift
    /// Route.dashboard("/jazzy")
    /// ```
    ///
    /// The page needs no other file, and gets its figures over a WebSocket of the same path. It is for programs on this
    /// machine alone, unless an audience says otherwise: ``JazzyAudience/loopback``. Others get a 403, which says what can
    /// be done. From elsewhere, a tunnel leads to it: `ssh -L 8080:localhost:8080 HOST`.
    ///
    /// While nobody looks at it, it costs nothing. See <doc:Dashboard>, which also says what comes over the WebSocket.
    ///
    /// - Parameters:
    ///   - path: The path of the page, and of its WebSocket.
    ///   - audience: Who sees it. Addresses and names of topics are in it.
    public func dashboard(_ path: String = "/jazzy", for audience: JazzyAudience = .loopback) {
        add(DashboardRoute(path: path, audience: audience))
    }

    /// Registers a page that shows what the server does, once a second, for those that a hook lets in.
    ///
    /// ```swift
    /// Route.dashboard("/jazzy") { request in
    ///     request.cookie("operator") == "a secret" ? .accept() : .reject(403)
    /// }
    /// ```
    ///
    /// The hook decides alone, about this machine's clients, too: on requests for the page and for its WebSocket. It may
    /// take its time, and answer with any status, unlike that of a ``JazzyAudience``. Other web sites can neither show the
    /// page nor use its WebSocket; but a hook that decides by the client's address has to look at the `Host` header, too,
    /// against DNS rebinding, or at ``JazzyRequest/isFromLoopback``.
    ///
    /// - Parameters:
    ///   - path: The path of the page, and of its WebSocket.
    ///   - admit: Decides who may see the page. A subprotocol or a state in its answer counts for nothing.
    public func dashboard(_ path: String = "/jazzy", admit: @escaping JazzyUpgradeHook) {
        add(DashboardRoute(path: path, decide: admit))
    }
}

extension Route {
    /// Registers a page that shows what the server does, once a second: for its operator.
    ///
    /// See ``JazzyServer/dashboard(_:for:)``.
    ///
    /// - Parameters:
    ///   - path: The path of the page, and of its WebSocket.
    ///   - audience: Who sees it. Addresses and names of topics are in it.
    public static func dashboard(_ path: String = "/jazzy", for audience: JazzyAudience = .loopback) {
        Jazzy.server.dashboard(path, for: audience)
    }

    /// Registers a page that shows what the server does, once a second, for those that a hook lets in.
    ///
    /// See ``JazzyServer/dashboard(_:admit:)``.
    ///
    /// - Parameters:
    ///   - path: The path of the page, and of its WebSocket.
    ///   - admit: Decides who may see the page.
    public static func dashboard(_ path: String = "/jazzy", admit: @escaping JazzyUpgradeHook) {
        Jazzy.server.dashboard(path, admit: admit)
    }
}

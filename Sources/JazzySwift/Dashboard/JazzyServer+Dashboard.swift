extension JazzyServer {
    /// Registers a page that shows what the server does, once a second: for its operator.
    ///
    /// ```swift
    /// Route.dashboard("/jazzy")
    /// ```
    ///
    /// The page needs no other file, and gets its figures over a WebSocket of the same path. It is for this machine
    /// alone: a client gets it whose address is a loopback address, that asks for `localhost` or such an address, and
    /// that no proxy has announced. Others get a 403, which says what can be done. From elsewhere, a tunnel leads
    /// to it: `ssh -L 8080:localhost:8080 HOST`. To let others in, there is ``dashboard(_:admit:)``.
    ///
    /// While nobody looks at it, it costs nothing. See <doc:Dashboard>, which also says what comes over the WebSocket.
    ///
    /// - Parameter path: The path of the page, and of its WebSocket.
    public func dashboard(_ path: String = "/jazzy") {
        add(DashboardRoute(path: path, admit: nil))
    }

    /// Registers a page that shows what the server does, once a second, for those that a hook lets in.
    ///
    /// ```swift
    /// Route.dashboard("/jazzy") { request in
    ///     request.cookie("operator") == "a secret" ? .accept() : .reject(403)
    /// }
    /// ```
    ///
    /// The hook decides alone, about this machine's clients, too: on requests for the page and for its WebSocket. The
    /// page is not sent to other web sites, and its WebSocket takes clients of its own host only; but a hook that
    /// decides by the client's address has to look at the `Host` header, too, against DNS rebinding.
    ///
    /// - Parameters:
    ///   - path: The path of the page, and of its WebSocket.
    ///   - admit: Decides who may see the page. A subprotocol or a state in its answer counts for nothing.
    public func dashboard(_ path: String = "/jazzy", admit: @escaping JazzyUpgradeHook) {
        add(DashboardRoute(path: path, admit: admit))
    }
}

extension Route {
    /// Registers a page that shows what the server does, once a second: for its operator, on this machine.
    ///
    /// See ``JazzyServer/dashboard(_:)``.
    ///
    /// - Parameter path: The path of the page, and of its WebSocket.
    public static func dashboard(_ path: String = "/jazzy") {
        Jazzy.server.dashboard(path)
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

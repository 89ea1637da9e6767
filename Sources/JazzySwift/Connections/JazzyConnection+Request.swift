import CJazzyPoll

extension JazzyConnection where Self: ~Escapable {
    /// The request that the connection began with: path, query, headers, cookies.
    ///
    /// ```swift
    /// Route.ws("/chat") { ws, event, message in
    ///     if event == .open, let name = ws.request?.queryValue("name") { ws.send("Welcome, " + name) }
    /// }
    /// ```
    ///
    /// It is there
    ///
    /// - in the open event, in the handler that is called with that, with or without an upgrade hook, also on workers;
    /// - in a ``JazzyAsyncHandler``, from its beginning to its end: in its task, and in all tasks that inherit the
    ///   task-local values of that, such as `async let` and `Task { }`, but not in `Task.detached { }`.
    ///
    /// Elsewhere it is `nil`: a called handler takes what it needs of it into its state when the connection opens, most
    /// simply with `ws("/chat", state: { request in … })`, or with a ``JazzyAdmissionHook``. It is also `nil` if there
    /// is no memory for it.
    ///
    /// The request is parsed when it is asked for, and costs nothing else.
    public var request: JazzyRequest? {
        (webSocket.firstRequest(JazzyRequest.init) ?? webSocket.taskRequest)?.sent(by: webSocket)
    }

    /// The values of the parameters in the route's path, `:name`, by name, as in ``JazzyRequest/parameters``.
    ///
    /// ```swift
    /// Route.ws("/room/:id") { ws, event, message in
    ///     if event == .open, let room = ws.parameters["id"] { ws.subscribe(room) }
    /// }
    /// ```
    ///
    /// Where ``request`` is `nil`, there are none.
    public var parameters: [String: String] {
        webSocket.firstRequest(JazzyRequest.parameters(of:)) ?? webSocket.taskRequest?.parameters ?? [:]
    }
}

extension JazzyWebSocket {
    /// Calls `body` with the request if this thread handles the connection's open event.
    fileprivate func firstRequest<Result>(_ body: (OpaquePointer) -> Result) -> Result? {
        jz_ws_request(core).map(body)
    }

    /// The request if the connection is that of the running task.
    fileprivate var taskRequest: JazzyRequest? {
        guard let inbox = MessageInbox.ofTask, inbox.belongs(to: self) else { return nil }
        return inbox.request?.parsed
    }
}

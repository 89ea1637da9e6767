#if JazzyTracing
    import JazzySwift
    import Tracing

    /// An upgrade hook with a span: one of kind `server` for each request for a WebSocket, from the request to the answer.
    ///
    /// ```swift
    /// server.ws("/rooms/:id", upgrade: traced { request in
    ///     guard request.cookie("session") != nil else { return .reject(401) }
    ///     return .accept()
    /// }) { ws, messages in
    ///     for try await message in messages where message.kind == .text {
    ///         await withSpan("message") { _ in ws.send(message.text) }
    ///     }
    /// }
    /// ```
    ///
    /// The span's parent is what the request's headers say, for instance `traceparent` and `tracestate` (W3C Trace
    /// Context), as the tracer reads them. `ServiceContext.current` is the span's while the hook runs, and in the task
    /// that handles the connection of a route with `JazzyAsyncHandler`: spans that are started there are its children. A
    /// handler that is called for each event has no context: it does not run in a task.
    ///
    /// The span is called as its route, `GET /rooms/:id`, and has these attributes, of OpenTelemetry's semantic
    /// conventions:
    ///
    /// | attribute | what it is |
    /// | --- | --- |
    /// | `http.request.method` | `GET` |
    /// | `http.route` | the route's path, with parameters as `:name` |
    /// | `url.path` | the request's path; its query is left out, because it often has secrets |
    /// | `network.protocol.name` | `websocket` |
    /// | `client.address`, `client.port` | those of `JazzyRequest.remoteAddress`; no port if a proxy names none |
    /// | `server.address`, `server.port` | those of the header `Host` |
    /// | `user_agent.original` | the header `User-Agent` |
    /// | `http.response.status_code` | 101, or that of the refusal |
    /// | `error.type` | the status of the refusal from 500 on, the type of the error that the hook threw, or `cancelled` |
    ///
    /// An error that the hook throws is recorded, and the client gets a 500. If nobody waits for the answer any more,
    /// because it came too late, the client has left, or the server stops, there is no status. Requests that are refused
    /// before the hook is called, for instance for their origin, have no span.
    ///
    /// It never bootstraps the `InstrumentationSystem`, which is the application's.
    ///
    /// - Parameters:
    ///   - tracer: The tracer; `nil`, the default: that of the `InstrumentationSystem`.
    ///   - hook: Decides which clients are let in; the default lets in all.
    /// - Returns: The hook for a route's `upgrade`.
    public func traced(
        by tracer: (any Tracer)? = nil, _ hook: @escaping JazzyUpgradeHook = { _ in .accept() }
    ) -> JazzyUpgradeHook {
        { request in
            let span = startUpgradeSpan(request, by: tracer)
            defer { span.end() }
            var upgrade = try await span.cover { try await hook(request) }
            span.note(status: upgrade.responseStatus)
            upgrade.surroundings = surroundings(span.context)
            return upgrade
        }
    }

    /// The same for a hook that gives each connection a state of the route's type.
    ///
    /// ```swift
    /// struct Seat: Sendable { let name: String }
    ///
    /// server.ws("/rooms/:id", state: Seat.self, upgrade: traced { request in
    ///     guard let name = request.cookie("name") else { return .reject(401) }
    ///     return .accept(Seat(name: name))
    /// }) { ws, event, message in
    ///     if event == .open { ws.send("Welcome, " + ws.state.name) }
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - tracer: The tracer; `nil`, the default: that of the `InstrumentationSystem`.
    ///   - hook: Decides which clients are let in, and gives each its state, which must be `Sendable`.
    /// - Returns: The hook for a route's `upgrade`.
    public func traced<State: Sendable>(
        by tracer: (any Tracer)? = nil, _ hook: @escaping JazzyAdmissionHook<State>
    ) -> JazzyAdmissionHook<State> {
        { request in
            let span = startUpgradeSpan(request, by: tracer)
            defer { span.end() }
            var admission = try await span.cover { try await hook(request) }
            span.note(status: admission.upgrade.responseStatus)
            admission.upgrade.surroundings = surroundings(span.context)
            return admission
        }
    }

    /// For the task that handles the connection: the context of the span, which has ended by then.
    private func surroundings(_ context: ServiceContext) -> TaskSurroundings {
        { work in try await ServiceContext.withValue(context) { try await work() } }
    }
#endif

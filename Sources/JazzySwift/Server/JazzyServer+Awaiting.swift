// What the functions that block do, for asynchronous code. The names or parameters differ, because at the top level of
// a program the compiler would take an awaited call for one of the function that blocks.
extension JazzyServer {
    /// Listens, and runs the server until it is stopped or the task is cancelled. Meanwhile the task is suspended: no
    /// thread that runs tasks is blocked, and neither is the main actor.
    ///
    /// ```swift
    /// let server = JazzyServer()
    /// server.ws("/echo") { ws, event, message in
    ///     if event == .message, message.kind == .text { ws.send(message.text) }
    /// }
    /// let running = Task { try await server.run(on: [.port(8080)], grace: .seconds(10)) }
    /// try await Task.sleep(for: .seconds(3600))
    /// running.cancel()    // clients are closed with code 1001, and get ten seconds
    /// try await running.value
    /// ```
    ///
    /// Cancellation stops the server in order, as ``stop()`` does, and is no error: when all connections have ended,
    /// this returns. If the task was cancelled before, the server does not listen at all.
    ///
    /// The server's event loops, and so its handlers, run on threads of the server's own.
    ///
    /// - Parameters:
    ///   - addresses: As for ``listen(on:)``.
    ///   - grace: After a cancellation, how long to wait for the close frames and the output of all connections, as by
    ///     ``stopAndWait(grace:)``; `nil`, the default: as by ``stop()``.
    ///   - untilSignal: Whether Ctrl-C (SIGINT) and SIGTERM stop the server, too, as by ``runUntilSignal()``. The
    ///     default is `false`: the signals are left to others.
    /// - Throws: ``JazzyError``, as ``listen(on:)`` and ``run()``.
    public func run(
        on addresses: [JazzyAddress], grace: Duration? = nil, untilSignal: Bool = false
    ) async throws(JazzyError) {
        try await run(on: addresses, options: options, grace: grace, untilSignal: untilSignal)
    }

    /// Listens, and runs the server until it is stopped or the task is cancelled, as ``run(on:grace:untilSignal:)``
    /// does.
    ///
    /// - Parameters:
    ///   - host: An IPv4 or IPv6 address or a name; `nil` means every address of this machine, IPv4 and IPv6.
    ///   - port: 0 to 65,535; with 0 the kernel chooses a free one: see ``port``.
    ///   - grace: As for ``run(on:grace:untilSignal:)``.
    ///   - untilSignal: As for ``run(on:grace:untilSignal:)``.
    /// - Throws: ``JazzyError``, as ``listen(on:)`` and ``run()``.
    public func run(
        host: String? = nil, port: Int, grace: Duration? = nil, untilSignal: Bool = false
    ) async throws(JazzyError) {
        try await run(on: [.port(port, host: host)], grace: grace, untilSignal: untilSignal)
    }

    /// Runs a server that listens until it is stopped or the task is cancelled, as ``run(on:grace:untilSignal:)`` does.
    ///
    /// ```swift
    /// let server = JazzyServer()
    /// try server.listen(port: 0)
    /// print("listening on port \(server.port)")
    /// try await server.runUntilCancelled()
    /// ```
    ///
    /// If the server was stopped after it began to listen, this returns at once. If the task was cancelled, too, and
    /// the server no longer listens.
    ///
    /// - Parameters:
    ///   - grace: As for ``run(on:grace:untilSignal:)``.
    ///   - untilSignal: As for ``run(on:grace:untilSignal:)``.
    /// - Throws: ``JazzyError``, as ``run()``.
    public func runUntilCancelled(grace: Duration? = nil, untilSignal: Bool = false) async throws(JazzyError) {
        try await run(on: nil, options: options, RunControl(grace: grace), untilSignal: untilSignal)
    }

    /// Returns when a server that runs, or was stopped, has ended: then it may listen again. This blocks no thread that
    /// runs tasks.
    ///
    /// If the server does not run and was not stopped, it returns at once.
    public func waitForEnd() async {
        await withCheckedContinuation { continuation in
            onThreadThatMayWait {
                self.waitForEnd(of: nil)
                continuation.resume()
            }
        }
    }

    func run(
        on addresses: [JazzyAddress], options: JazzyOptions, grace: Duration?, untilSignal: Bool
    ) async throws(JazzyError) {
        try await run(on: addresses, options: options, RunControl(grace: grace), untilSignal: untilSignal)
    }

    /// Runs a server until it is stopped, the task is cancelled, or the control ends it, for services.
    ///
    /// - Parameters:
    ///   - addresses: What to listen on first; `nil`: the server listens already.
    ///   - control: Ends the run; of this one run only.
    package func run(on addresses: [JazzyAddress]?, _ control: RunControl) async throws(JazzyError) {
        try await run(on: addresses, options: options, control, untilSignal: false)
    }

    private func run(
        on addresses: [JazzyAddress]?, options: JazzyOptions, _ control: RunControl, untilSignal: Bool
    ) async throws(JazzyError) {
        if addresses != nil, Task.isCancelled { return }
        // The thread looks up names, too, because that may take long.
        try await onOwnThread(options, control) { control throws(JazzyError) in
            if let addresses {
                if control.isAsked { return }
                try self.listen(on: addresses, options: options)
            }
            try self.run(following: control, untilSignal: untilSignal)
        }
    }

    private func run(following control: RunControl, untilSignal: Bool) throws(JazzyError) {
        guard let core = try beginRunning() else { return }
        defer { endRunning(core) }
        control.follow(core)
        if untilSignal { try core.runUntilSignal() } else { try core.run() }
    }

    /// The continuation is resumed once, by the thread or, if there is none, at once.
    private func onOwnThread(
        _ options: JazzyOptions, _ control: RunControl,
        _ work: @escaping @Sendable (RunControl) throws(JazzyError) -> Void
    ) async throws(JazzyError) {
        let stackSize = options.threadStackSize
        let result: Result<Void, JazzyError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                do throws(JazzyError) {
                    try JazzySwift.onOwnThread(stackSize: stackSize) {
                        continuation.resume(returning: Result { () throws(JazzyError) in try work(control) })
                    }
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        } onCancel: {
            control.cancel()
        }
        try result.get()
    }
}

extension JazzyServer {
    /// Stops the server gracefully, as ``stop()`` does, and waits for its end on the calling thread.
    ///
    /// In one of the server's own handlers it cannot wait: it only starts to stop the server, and returns `nil`.
    /// Asynchronous code has ``stopAndWait(grace:)``, which blocks no thread of its tasks.
    ///
    /// - Parameter grace: How long to wait for the close frames and the output of all connections, up to 1 h, instead
    ///   of ``JazzyOptions/closeTimeout`` and ``JazzyOptions/stopTimeout``; then the rest is ended. Of several calls,
    ///   the one whose grace ends first counts.
    /// - Returns: How the connections ended. All counts are 0 if the server did not run.
    @available(*, noasync, message: "use stopAndWait(grace:)")
    @discardableResult
    public func stop(grace: Duration) -> JazzyEnding? {
        let core = beginToStop(grace)
        if let core, core.runsHere { return nil }
        waitForEnd(of: core)
        return core?.ending ?? JazzyEnding()
    }

    /// Stops the server gracefully, as ``stop()`` does, and returns when it has ended. This blocks no thread that runs
    /// tasks, so it may be awaited anywhere, even in an upgrade hook of the server.
    ///
    /// Its name differs from ``stop(grace:)`` because, at the top level of a program, the compiler would take an
    /// awaited call for a call of the other function, which blocks.
    ///
    /// - Parameter grace: How long to wait for the close frames and the output of all connections, up to 1 h, instead
    ///   of ``JazzyOptions/closeTimeout`` and ``JazzyOptions/stopTimeout``; then the rest is ended. Of several calls,
    ///   the one whose grace ends first counts.
    /// - Returns: How the connections ended. All counts are 0 if the server did not run.
    @discardableResult
    public func stopAndWait(grace: Duration) async -> JazzyEnding {
        await end(of: beginToStop(grace))
    }

    private func end(of core: CoreServer?) async -> JazzyEnding {
        await withCheckedContinuation { continuation in
            onThreadThatMayWait {
                self.waitForEnd(of: core)
                continuation.resume(returning: core?.ending ?? JazzyEnding())
            }
        }
    }

    /// Stops the server with the given close code and reason, spread over a time if requested, and waits for its end on
    /// the calling thread.
    ///
    /// ```swift
    /// try server.stop(code: 1012, reason: "service restart", spread: .seconds(30))
    /// ```
    ///
    /// In one of the server's own handlers it cannot wait: it only starts to stop the server, and returns `nil`.
    /// Asynchronous code has ``stopAndWait(code:reason:spread:grace:)``, which blocks no thread of its tasks.
    ///
    /// - Parameters:
    ///   - code: The close code for every connection, as for ``JazzyConnection/close(code:reason:)``, for instance
    ///     1012, service restart. Of several calls, the first decides code and reason.
    ///   - reason: Cut between two characters if longer than the 123 bytes that fit.
    ///   - spread: The close frames are spread evenly over this time, up to 1 h, so that clients do not all reconnect
    ///     at once. Until its close frame a connection is served; no new ones are let in.
    ///   - grace: That of ``stop(grace:)``, from the last close frame on; `nil`: that of ``stop()``.
    /// - Returns: How the connections ended. All counts are 0 if the server did not run.
    /// - Throws: ``JazzyError`` if the code may not be sent; then nothing was done.
    @available(*, noasync, message: "use stopAndWait(code:reason:spread:grace:)")
    @discardableResult
    public func stop(
        code: WsCloseCode, reason: String = "", spread: Duration = .zero, grace: Duration? = nil
    ) throws(JazzyError) -> JazzyEnding? {
        let core = beginToStop(try Farewell(code: code, reason: reason, spread: spread, grace: grace))
        if let core, core.runsHere { return nil }
        waitForEnd(of: core)
        return core?.ending ?? JazzyEnding()
    }

    /// Stops the server with the given close code and reason, as ``stop(code:reason:spread:grace:)`` does, and returns
    /// when it has ended. This blocks no thread that runs tasks.
    ///
    /// - Parameters:
    ///   - code: The close code for every connection, as for ``JazzyConnection/close(code:reason:)``, for instance
    ///     1012, service restart. Of several calls, the first decides code and reason.
    ///   - reason: Cut between two characters if longer than the 123 bytes that fit.
    ///   - spread: The close frames are spread evenly over this time, up to 1 h, so that clients do not all reconnect
    ///     at once. Until its close frame a connection is served; no new ones are let in.
    ///   - grace: That of ``stopAndWait(grace:)``, from the last close frame on; `nil`: that of ``stop()``.
    /// - Returns: How the connections ended. All counts are 0 if the server did not run.
    /// - Throws: ``JazzyError`` if the code may not be sent; then nothing was done.
    @discardableResult
    public func stopAndWait(
        code: WsCloseCode, reason: String = "", spread: Duration = .zero, grace: Duration? = nil
    ) async throws(JazzyError) -> JazzyEnding {
        let farewell = try Farewell(code: code, reason: reason, spread: spread, grace: grace)
        return await end(of: beginToStop(farewell))
    }

    /// Makes room for a successor: the server stops listening, continues to serve until the last client has left, and
    /// stops. If both listen on an inherited socket, the restart has no gap.
    ///
    /// It returns at once, even in a handler; ``wait()`` waits for the end.
    ///
    /// - Parameter deadline: The time after which the server stops at the latest, as by ``stop()``. The default is
    ///   ``JazzyTimeLimit/never``.
    public func drain(deadline: JazzyTimeLimit = .never) {
        askToEnd { $0.drain(deadline: deadline) }
    }

    private func beginToStop(_ grace: Duration) -> CoreServer? {
        let milliseconds = grace.wholeMilliseconds
        return askToEnd { $0.stop(graceInMilliseconds: milliseconds) }
    }

    private func beginToStop(_ farewell: Farewell) -> CoreServer? {
        askToEnd { $0.stop(farewell) }
    }
}

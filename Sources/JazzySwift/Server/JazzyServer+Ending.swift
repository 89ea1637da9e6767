extension JazzyServer {
    /// Stops the server in order, as ``stop()`` does, and waits for its end, on the calling thread.
    ///
    /// In one of the server's own handlers it cannot wait: it begins to stop, and returns `nil`. Asynchronous code has
    /// ``stopAndWait(grace:)``, which blocks no thread of its tasks.
    ///
    /// - Parameter grace: How long answers and unsent output are waited for, of everybody alike, up to 1 h, in place of
    ///   ``JazzyOptions/closeTimeout`` and ``JazzyOptions/stopTimeout``; then what is left is ended. Of several calls
    ///   the one whose grace is over first counts.
    /// - Returns: How the connections ended. All counts are 0 where the server did not run.
    @discardableResult
    public func stop(grace: Duration) -> JazzyEnding? {
        let core = beginToStop(grace)
        if let core, core.runsHere { return nil }
        waitForEnd(of: core)
        return core?.ending ?? JazzyEnding()
    }

    /// Stops the server in order, as ``stop()`` does, and returns when it has ended. No thread that runs tasks waits
    /// for that, so this may be awaited anywhere, also in an upgrade hook of the server.
    ///
    /// It does not share the name of ``stop(grace:)``: at the top level of a program, the compiler would take an awaited
    /// call of one for a call of the other, which blocks.
    ///
    /// - Parameter grace: How long answers and unsent output are waited for, of everybody alike, up to 1 h, in place of
    ///   ``JazzyOptions/closeTimeout`` and ``JazzyOptions/stopTimeout``; then what is left is ended. Of several calls
    ///   the one whose grace is over first counts.
    /// - Returns: How the connections ended. All counts are 0 where the server did not run.
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

    /// Stops the server with a close code and a reason of its own, by and by where that is wanted, and waits for its end,
    /// on the calling thread.
    ///
    /// ```swift
    /// try server.stop(code: 1012, reason: "service restart", spread: .seconds(30))
    /// ```
    ///
    /// In one of the server's own handlers it cannot wait: it begins to stop, and returns `nil`. Asynchronous code has
    /// ``stopAndWait(code:reason:spread:grace:)``, which blocks no thread of its tasks.
    ///
    /// - Parameters:
    ///   - code: What every connection is closed with, as ``JazzyConnection/close(code:reason:)`` takes it, for instance
    ///     1012, service restart. Of several calls the first decides code and reason.
    ///   - reason: Cut at a character's end where it is longer than the 123 bytes that fit.
    ///   - spread: The close frames are spread evenly over so long, up to 1 h, so that the clients do not all come back
    ///     at once. Who has not been sent one is served until then; nobody new is let in.
    ///   - grace: That of ``stop(grace:)``, from the last close frame on; `nil` is that of ``stop()``.
    /// - Returns: How the connections ended. All counts are 0 where the server did not run.
    /// - Throws: ``JazzyError`` if the code may not be sent; nothing has happened then.
    @discardableResult
    public func stop(
        code: UInt16, reason: String = "", spread: Duration = .zero, grace: Duration? = nil
    ) throws(JazzyError) -> JazzyEnding? {
        let core = beginToStop(try Farewell(code: code, reason: reason, spread: spread, grace: grace))
        if let core, core.runsHere { return nil }
        waitForEnd(of: core)
        return core?.ending ?? JazzyEnding()
    }

    /// Stops the server with a close code and a reason of its own, as ``stop(code:reason:spread:grace:)`` does, and
    /// returns when it has ended. No thread that runs tasks waits for that.
    ///
    /// - Parameters:
    ///   - code: What every connection is closed with, as ``JazzyConnection/close(code:reason:)`` takes it, for instance
    ///     1012, service restart. Of several calls the first decides code and reason.
    ///   - reason: Cut at a character's end where it is longer than the 123 bytes that fit.
    ///   - spread: The close frames are spread evenly over so long, up to 1 h, so that the clients do not all come back
    ///     at once. Who has not been sent one is served until then; nobody new is let in.
    ///   - grace: That of ``stopAndWait(grace:)``, from the last close frame on; `nil` is that of ``stop()``.
    /// - Returns: How the connections ended. All counts are 0 where the server did not run.
    /// - Throws: ``JazzyError`` if the code may not be sent; nothing has happened then.
    @discardableResult
    public func stopAndWait(
        code: UInt16, reason: String = "", spread: Duration = .zero, grace: Duration? = nil
    ) async throws(JazzyError) -> JazzyEnding {
        let farewell = try Farewell(code: code, reason: reason, spread: spread, grace: grace)
        return await end(of: beginToStop(farewell))
    }

    /// Makes room for a successor: the server listens no more, goes on serving until the last client has left, and
    /// stops. A restart is without a gap where both listen on an inherited socket.
    ///
    /// It returns at once, also in a handler; ``wait()`` waits for the end.
    ///
    /// - Parameter deadline: When the server stops at the latest, as with ``stop()``. The default is
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

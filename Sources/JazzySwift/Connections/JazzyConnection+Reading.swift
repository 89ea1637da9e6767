import CJazzyPoll

extension JazzyConnection where Self: ~Escapable {
    /// Reads no more from the connection until ``resumeReading()``: TCP slows the peer down.
    ///
    /// Nothing is buffered but what one read has brought, which is still delivered. Once more does nothing. Reading
    /// goes on by itself when closing starts. While it is paused, ``JazzyOptions/idleTimeout`` does not run.
    ///
    /// - Returns: ``JazzySendStatus/sent`` when it is done, ``JazzySendStatus/queued`` when it travels to the
    ///   connection's event loop, ``JazzySendStatus/dropped`` when there is no memory, or ``JazzySendStatus/closed``.
    @discardableResult
    public func pauseReading() -> JazzySendStatus { JazzySendStatus(jz_ws_pause_reading(webSocket.core)) }

    /// Reads on after ``pauseReading()``. Does nothing where reading is not paused.
    ///
    /// - Returns: The same as ``pauseReading()``.
    @discardableResult
    public func resumeReading() -> JazzySendStatus { JazzySendStatus(jz_ws_resume_reading(webSocket.core)) }
}

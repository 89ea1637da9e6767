import CJazzyPoll

extension JazzyConnection where Self: ~Escapable {
    /// Stops reading from the connection until ``resumeReading()``: TCP slows the peer down.
    ///
    /// Nothing is buffered but the input of the current read, which is still delivered. Does nothing if reading is
    /// paused already. Reading resumes by itself when closing starts. Meanwhile ``JazzyOptions/idleTimeout`` does not
    /// run.
    ///
    /// - Returns: ``JazzySendStatus/sent`` if it is done, ``JazzySendStatus/queued`` if it is on its way to the
    ///   connection's event loop, ``JazzySendStatus/dropped`` if there is no memory, or ``JazzySendStatus/closed``.
    @discardableResult
    public func pauseReading() -> JazzySendStatus { JazzySendStatus(jz_ws_pause_reading(webSocket.core)) }

    /// Resumes reading after ``pauseReading()``. Does nothing if reading is not paused.
    ///
    /// - Returns: The same as ``pauseReading()``.
    @discardableResult
    public func resumeReading() -> JazzySendStatus { JazzySendStatus(jz_ws_resume_reading(webSocket.core)) }
}

/// The messages of one connection, in order, for a ``JazzyAsyncHandler``.
///
/// ```swift
/// Route.ws("/shout") { ws, messages in
///     for try await message in messages where message.kind == .text {
///         ws.send(message.text.uppercased())
///     }
/// }
/// ```
///
/// Texts and binary messages come; pings do not, because they have been answered, and pongs do not.
///
/// No message is lost or overtakes another: they wait here until the handler takes them. When 64 messages, or 256 KiB,
/// wait, reading from the connection pauses until half of them have been taken, and TCP slows the peer down. In
/// addition there can be what the server had read when reading paused, at most
/// ``JazzyOptions/receiveBufferSize``. Meanwhile ``JazzyOptions/idleTimeout`` does not run, and that the peer has gone
/// may be seen only when the handler goes on. The handler should not call ``JazzyConnection/pauseReading()`` itself.
///
/// When the connection ends, what waits is still delivered, also to a task that is cancelled; then the sequence ends,
/// or, if the connection failed, throws the ``WsError``. Only one task at a time should iterate.
public struct WsMessages: AsyncSequence, Sendable {
    let inbox: MessageInbox

    /// How the connection ended; `nil` if it has not ended.
    public var close: WsClose? { inbox.close }

    /// Begins to iterate. All iterators take from the same messages.
    public func makeAsyncIterator() -> Iterator { Iterator(inbox: inbox) }

    /// Takes messages, one by one.
    public struct Iterator: AsyncIteratorProtocol {
        let inbox: MessageInbox

        /// Takes the next message, for which it waits if there is none.
        ///
        /// - Returns: The message; `nil` if the connection has ended, or if there is none and the task is cancelled.
        /// - Throws: ``WsError`` if the connection failed, once.
        public func next() async throws(WsError) -> WsOwnedMessage? {
            try await inbox.next()
        }

        /// Takes the next message, for which it waits if there is none.
        ///
        /// - Parameter actor: The actor of the caller.
        /// - Returns: The message; `nil` if the connection has ended, or if there is none and the task is cancelled.
        /// - Throws: ``WsError`` if the connection failed, once.
        public func next(isolation actor: isolated (any Actor)?) async throws(WsError) -> WsOwnedMessage? {
            try await inbox.next()
        }
    }
}

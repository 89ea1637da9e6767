import JazzySwift

/// What the handlers have done for one connection of a server that is observed.
final class ConnectionRecord: Sendable {
    struct State: Sendable {
        /// The handler that is called has handled the open event.
        var hasOpened = false
        /// The texts and binary messages that the handler that is called has handled.
        var handled = 0
        /// Those that were dropped, because they were too many in too short a time.
        var dropped = 0
        /// What the handlers have thrown.
        var thrown: [any Error] = []
        /// The connection failed.
        var failure: WsError?
        /// The close event was handled.
        var close: WsClose?
        /// The server is about to close the connection, because a handler threw.
        var isClosing = false

        /// The handler is a task.
        var hasTask = false
        /// The messages that the task had taken when it last waited for another; `nil` if it has not waited yet.
        var taken: Int?
        /// The task has ended.
        var isTaskOver = false

        /// The highest number of a mark that has arrived at the client.
        var mark: UInt64 = 0
        /// The client does not take what is sent to it.
        var isUnread = false

        /// Nothing happens to the connection any more.
        var isOver: Bool { close != nil && (!hasTask || isTaskOver) }

        /// The handler has done what it had to do for so many messages.
        func hasHandled(_ count: Int) -> Bool {
            hasOpened && handled + dropped >= count && (!hasTask || isTaskOver || taken ?? -1 >= count - dropped)
        }

        /// What one waits for in vain.
        func explanation(handling count: Int) -> String {
            if close != nil { return "the connection was closed, but the task that handles it does not end" }
            if !hasOpened || handled + dropped < count {
                return "the handler was not called for it, or does not return: does it block, or was reading paused?"
            }
            return """
                the task that handles the connection does not ask for the next message: if it is not meant to, call \
                this with untilHandled: false, and wait for what it sends with message()
                """
        }
    }

    let ws: JazzyWebSocket
    let number: UInt64
    let state = Watched(State())

    init(_ ws: JazzyWebSocket, number: UInt64) {
        self.ws = ws
        self.number = number
    }

    func hasHandled(_ count: Int) -> Bool { state.value.hasHandled(count) }

    func noteDrops(_ count: Int) {
        state.change { $0.dropped += count }
    }
}

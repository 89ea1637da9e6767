/// Where a route's handler runs. Either way the events of one connection keep their order and never overlap.
///
/// ```swift
/// import Foundation
///
/// Route.ws("/orders", options: JazzyRouteOptions(execution: .workers)) { ws, event, message in
///     guard event == .message, message.kind == .text else { return }
///     Thread.sleep(forTimeInterval: 0.2)    // a database call, for instance: nobody else waits for it
///     ws.send("Done: " + message.text)
/// }
/// ```
public struct JazzyExecution: Equatable, Sendable {
    /// `nil` on the loop.
    let maxWaitingEvents: Int?

    /// On the thread of the connection's event loop, which is fastest: the handler must return soon.
    public static let loop = Self(maxWaitingEvents: nil)

    /// On one of the server's ``JazzyOptions/workerThreads`` workers: the handler may block.
    ///
    /// Events are copied; at most 256 of a connection wait. The event loop answers pings, and the peer's close, at once:
    /// what the handler sends after that, in answer to a message before it, does not reach the peer any more. A handler
    /// that closes its connection, or throws, gets none of the messages that wait, also if the peer was first.
    public static let workers = workers(maxWaitingEvents: 256)

    /// The same as ``workers``, with another limit of waiting events.
    ///
    /// - Parameter maxWaitingEvents: 1 to 65,536. When this number of events of a connection wait for a worker, reading
    ///   from the connection pauses until half of them have been run. Nothing is dropped.
    public static func workers(maxWaitingEvents: Int) -> Self {
        Self(maxWaitingEvents: maxWaitingEvents)
    }
}

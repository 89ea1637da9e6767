import CJazzyPoll.Broker

/// Is told what the handlers of a server do: for JazzyTesting. Without one nothing is called, nor is anything compared.
///
/// Its functions are called on the threads of handlers, of tasks, and of who publishes.
package protocol ServerObserver: AnyObject, Sendable {
    /// The open event of a connection is about to be handled.
    func opens(_ ws: JazzyWebSocket)

    /// A handler that is called has returned, or thrown. `message`: what kind of message it handled, if it was one.
    func handled(_ ws: JazzyWebSocket, _ event: WsEvent, _ message: WsMessageKind?, _ error: (any Error)?)

    /// A handler that is a task has begun.
    func begins(taskOf ws: JazzyWebSocket)

    /// The task has taken so many messages, and now waits for the next.
    func waits(taskOf ws: JazzyWebSocket, taken: Int)

    /// The handler that is a task has returned, or thrown, and its connection was closed for that. What it throws after
    /// its connection has ended is left out.
    func ends(taskOf ws: JazzyWebSocket, _ error: (any Error)?)

    /// A message was published, and the server's subscribers have it.
    func published(_ topic: String, _ message: WsOwnedMessage)
}

extension RouteClosures {
    /// The same with a handler that tells the observer of its calls, if there is one.
    var observed: Self {
        guard let observer else { return self }
        var closures = self
        let handler = handler
        closures.handler = { ws, event, message in
            if event == .open { observer.opens(ws) }
            let kind = event == .message ? message.kind : nil
            do {
                try handler(ws, event, message)
            } catch {
                observer.handled(ws, event, kind, error)
                throw error
            }
            observer.handled(ws, event, kind, nil)
        }
        return closures
    }
}

extension WebSocketRoute {
    fileprivate func observed(by observer: any ServerObserver) -> Self {
        var closures = closures
        closures.observer = observer
        return Self(path: path, options: options, closures: closures)
    }
}

extension JazzyServer {
    /// Runs the server on one event loop, with an observer. It listens nowhere: ``adopt(_:from:)`` gives it its
    /// connections.
    ///
    /// The observer is told of publications as a broker is, so a server that is observed has no other broker.
    package func start(
        adoptingOver transport: JazzyTransport, observedBy observer: any ServerObserver
    ) throws(JazzyError) {
        var options = options
        options.threads = 1
        try listen(on: [], options: options) { options, routes, addresses throws(JazzyError) in
            let routes = routes.map { route in (route as? WebSocketRoute)?.observed(by: observer) ?? route }
            return try CoreServer(
                options: options, routes: routes, addresses: addresses, adoptsOver: transport, observer: observer)
        }
        try runOnOwnThreads()
    }

    /// Gives the server, which runs, a connection that nobody has accepted: see `jz_server_adopt` in `jazzy/server.h`.
    ///
    /// - Parameters:
    ///   - descriptor: Anything that can be watched, such as a pipe. It is the server's, unless this throws.
    ///   - address: That of the client, as in `192.0.2.7:4711`.
    package func adopt(_ descriptor: Int32, from address: String) throws(JazzyError) {
        guard let listening else { throw JazzyError(.invalidState, "the server does not run") }
        try listening.adopt(descriptor, from: address)
    }
}

/// The context of a broker, which is there for what it is told.
final class PublicationContext: Sendable {
    private let observer: any ServerObserver

    init(_ observer: any ServerObserver) {
        self.observer = observer
    }

    /// The context must live as long as the core server.
    func join(_ core: OpaquePointer) throws(JazzyError) {
        // What is optional stays zero.
        var broker = jz_broker()
        broker.context = Unmanaged.passUnretained(self).toOpaque()
        broker.start = { _, _, _ in JZ_OK }
        broker.stop = { _ in }
        broker.subscribe = { _, _, _ in }
        broker.unsubscribe = { _, _, _ in }
        broker.publish = { context, topic, topicLength, kind, bytes, length in
            guard let context else { return JZ_SEND_SENT }
            let topic = UnsafeRawBufferPointer(start: topic, count: topicLength)
            // What servers tell each other of members is no publication.
            guard topic.first != 0xFF else { return JZ_SEND_SENT }
            let payload = UnsafeRawBufferPointer(start: bytes, count: length)
            Unmanaged<PublicationContext>.fromOpaque(context).takeUnretainedValue().observer.published(
                String(decoding: topic, as: UTF8.self), WsOwnedMessage(payload, kind: WsMessageKind(kind)))
            return JZ_SEND_SENT
        }
        try check { jz_server_join(core, &broker, $0) }
    }
}

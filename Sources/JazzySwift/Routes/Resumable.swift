/// The topic of a client on a resumable route; `nil`: there is none, and the client gets a 404.
public typealias JazzyTopicHook = @Sendable (_ request: JazzyRequest) throws -> String?

extension JazzyServer {
    /// Registers a WebSocket route that sends a topic with history, from where a client was when it lost its connection.
    ///
    /// ```swift
    /// Jazzy.history("feed", keep: 1_000, for: .seconds(600))
    /// Route.resumable("/feed", topic: "feed")
    /// ```
    ///
    /// A client that comes back continues at the position that it has counted, `/feed?since=9f3c00000000a001:57`.
    ///
    /// The first frame is a text such as `{"epoch":"9f3c00000000a001","offset":57,"recovered":true,"count":2}`, and each
    /// one that follows is a message of the topic, as it was published, whose offset is 1 more. <doc:History> has the
    /// protocol and its guarantees. A client that does not offer the subprotocol `jazzy.resume.1` gets a 400, and one
    /// that sends a message is closed with code 1008.
    ///
    /// - Parameters:
    ///   - path: As of ``ws(_:options:upgrade:onDrain:onDrop:_:)-(_,_,_,_,_,JazzyHandler)``.
    ///   - topic: A topic with history: ``history(_:keep:for:bytes:)``.
    ///   - options: The options of the route. Its subprotocols are set.
    ///   - upgrade: Decides which clients are let in; `nil` lets in all that ``JazzyRouteOptions/origins`` allows. A state
    ///     that it gives is not kept.
    public func resumable(
        _ path: String, topic: String, options: JazzyRouteOptions = JazzyRouteOptions(),
        upgrade: JazzyUpgradeHook? = nil
    ) {
        resumable(path, topic: { _ in topic }, options: options, upgrade: upgrade)
    }

    /// Registers a WebSocket route that sends a topic with history, which a hook chooses, from where a client was when
    /// it lost its connection.
    ///
    /// ```swift
    /// Jazzy.history("room/", keep: 100, for: .seconds(300))
    /// Route.resumable("/room/:id", topic: { request in request.parameters["id"].map { "room/" + $0 } })
    /// ```
    ///
    /// Otherwise it is as with one topic.
    ///
    /// - Parameters:
    ///   - path: As of ``ws(_:options:upgrade:onDrain:onDrop:_:)-(_,_,_,_,_,JazzyHandler)``.
    ///   - topic: Chooses the topic, on the client's event loop, before it is let in.
    ///   - options: The options of the route. Its subprotocols are set.
    ///   - upgrade: Decides which clients are let in; `nil` lets in all that ``JazzyRouteOptions/origins`` allows. A state
    ///     that it gives is not kept.
    public func resumable(
        _ path: String, topic: @escaping JazzyTopicHook, options: JazzyRouteOptions = JazzyRouteOptions(),
        upgrade: JazzyUpgradeHook? = nil
    ) {
        var options = options
        options.subprotocols = [resumeProtocol]
        let admitting = admittingResumers(upgrade) { request in
            try topic(request).map { ResumedTopics(names: [$0], areEnveloped: false) }
        }
        ws(path, options: options, upgrade: admitting, resume)
    }
}

extension Route {
    /// Registers a WebSocket route that sends a topic with history, from where a client was when it lost its connection.
    ///
    /// See ``JazzyServer/resumable(_:topic:options:upgrade:)-(_,String,_,_)``.
    ///
    /// - Parameters:
    ///   - path: As of ``ws(_:options:upgrade:onDrain:onDrop:_:)-(_,_,_,_,_,JazzyHandler)``.
    ///   - topic: A topic with history: ``Jazzy/history(_:keep:for:bytes:)``.
    ///   - options: The options of the route. Its subprotocols are set.
    ///   - upgrade: Decides which clients are let in; `nil` lets in all that ``JazzyRouteOptions/origins`` allows. A state
    ///     that it gives is not kept.
    public static func resumable(
        _ path: String, topic: String, options: JazzyRouteOptions = JazzyRouteOptions(),
        upgrade: JazzyUpgradeHook? = nil
    ) {
        Jazzy.server.resumable(path, topic: topic, options: options, upgrade: upgrade)
    }

    /// Registers a WebSocket route that sends a topic with history, which a hook chooses, from where a client was when
    /// it lost its connection.
    ///
    /// See ``JazzyServer/resumable(_:topic:options:upgrade:)-(_,JazzyTopicHook,_,_)``.
    ///
    /// - Parameters:
    ///   - path: As of ``ws(_:options:upgrade:onDrain:onDrop:_:)-(_,_,_,_,_,JazzyHandler)``.
    ///   - topic: Chooses the topic, on the client's event loop, before it is let in.
    ///   - options: The options of the route. Its subprotocols are set.
    ///   - upgrade: Decides which clients are let in; `nil` lets in all that ``JazzyRouteOptions/origins`` allows. A state
    ///     that it gives is not kept.
    public static func resumable(
        _ path: String, topic: @escaping JazzyTopicHook, options: JazzyRouteOptions = JazzyRouteOptions(),
        upgrade: JazzyUpgradeHook? = nil
    ) {
        Jazzy.server.resumable(path, topic: topic, options: options, upgrade: upgrade)
    }
}

let resumeProtocol = "jazzy.resume.1"

/// What a connection of a resumable route keeps: its topics, and whether it can tell them apart.
struct ResumedTopics: Sendable {
    let names: [String]
    let areEnveloped: Bool
}

/// Lets clients in for whom there are topics.
func admittingResumers(
    _ upgrade: JazzyUpgradeHook?, _ topics: @escaping @Sendable (JazzyRequest) throws -> ResumedTopics?
) -> JazzyUpgradeHook {
    { request in
        var headers: JazzyHeaders = [:]
        var compresses = true
        if let upgrade {
            let answer = try await upgrade(request)
            guard case .accept(_, let given, _, let compression) = answer.answer else { return answer }
            headers = given
            compresses = compression
        }
        guard request.subprotocols.contains(resumeProtocol) else {
            return .reject(400, body: .text("This route speaks the subprotocol \(resumeProtocol); offer it.\n"))
        }
        guard let topics = try topics(request) else { return .reject(404) }
        return .accept(headers: headers, state: topics, compression: compresses)
    }
}

let resume: JazzyHandler = { ws, event, message in
    if event == .message, message.kind == .text || message.kind == .binary {
        ws.close(code: .policyViolation, reason: "this route only sends")
    }
    guard event == .open, let topics = ws.withState(as: ResumedTopics.self, { $0 }) else { return }
    let request = ws.request
    for topic in topics.names {
        let since =
            topics.areEnveloped
            ? request?.position(of: topic) : request?.queryValue("since").flatMap(JazzyPosition.init)
        let begun = ws.subscribe(topic, since: since, announcing: true, enveloping: topics.areEnveloped)
        guard begun.status == .dropped else { continue }
        ws.log(
            .error,
            "the topic \"\(topic)\" cannot be resumed: ask for its history, by server.history(…), or give more memory")
        ws.close(code: .internalError, reason: "a topic has no history")
        return
    }
}

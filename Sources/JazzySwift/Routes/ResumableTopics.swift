/// The topics of a client on a resumable route; `nil`, or none: the client gets a 404.
public typealias JazzyTopicsHook = @Sendable (_ request: JazzyRequest) throws -> [String]?

extension JazzyServer {
    /// Registers a WebSocket route that sends several topics with history over one connection, each from where the client
    /// was when it lost its connection.
    ///
    /// ```swift
    /// Jazzy.history("feed", keep: 1_000, for: .seconds(600))
    /// Jazzy.history("news/", keep: 100, for: .seconds(3_600))
    /// Route.resumable("/all", topics: ["feed", "news/jazz"])
    /// ```
    ///
    /// A client that comes back brings the position of each topic:
    /// `/all?since=9f3c00000000a001:57:feed&since=51aa00000000a003:4:news/jazz`.
    ///
    /// Each topic begins with a text such as `{"t":"feed","epoch":"9f3c00000000a001","offset":57,"recovered":true,"count":2}`,
    /// and each of its messages is in a text such as `{"t":"feed","o":58,"d":"…"}`, with its offset. <doc:History> has the
    /// protocol and its guarantees. Otherwise it is as ``resumable(_:topic:options:upgrade:)-(_,String,_,_)``.
    ///
    /// - Parameters:
    ///   - path: As of ``ws(_:options:upgrade:onDrain:onDrop:_:)-(_,_,_,_,_,JazzyHandler)``.
    ///   - topics: Topics with history: ``history(_:keep:for:bytes:)``. Each is sent once.
    ///   - options: The options of the route. Its subprotocols are set.
    ///   - upgrade: Decides which clients are let in; `nil` lets in all that ``JazzyRouteOptions/origins`` allows. A state
    ///     that it gives is not kept.
    public func resumable(
        _ path: String, topics: [String], options: JazzyRouteOptions = JazzyRouteOptions(),
        upgrade: JazzyUpgradeHook? = nil
    ) {
        resumable(path, topics: { _ in topics }, options: options, upgrade: upgrade)
    }

    /// Registers a WebSocket route that sends several topics with history, which a hook chooses, over one connection, each
    /// from where the client was when it lost its connection.
    ///
    /// ```swift
    /// Jazzy.history("room/", keep: 100, for: .seconds(300))
    /// Route.resumable("/rooms", topics: { request in request.queryValues("room").map { "room/" + $0 } })
    /// ```
    ///
    /// Such a client connects to `/rooms?room=tea&room=coffee`. Otherwise it is as with topics that are given.
    ///
    /// - Parameters:
    ///   - path: As of ``ws(_:options:upgrade:onDrain:onDrop:_:)-(_,_,_,_,_,JazzyHandler)``.
    ///   - topics: Chooses the topics, on the client's event loop, before it is let in.
    ///   - options: The options of the route. Its subprotocols are set.
    ///   - upgrade: Decides which clients are let in; `nil` lets in all that ``JazzyRouteOptions/origins`` allows. A state
    ///     that it gives is not kept.
    public func resumable(
        _ path: String, topics: @escaping JazzyTopicsHook, options: JazzyRouteOptions = JazzyRouteOptions(),
        upgrade: JazzyUpgradeHook? = nil
    ) {
        var options = options
        options.subprotocols = [resumeProtocol]
        let admitting = admittingResumers(upgrade) { request in
            guard let names = try topics(request), !names.isEmpty else { return nil }
            return ResumedTopics(names: names.withoutRepetitions, areEnveloped: true)
        }
        ws(path, options: options, upgrade: admitting, resume)
    }
}

extension Route {
    /// Registers a WebSocket route that sends several topics with history over one connection, each from where the client
    /// was when it lost its connection.
    ///
    /// See ``JazzyServer/resumable(_:topics:options:upgrade:)-(_,[String],_,_)``.
    ///
    /// - Parameters:
    ///   - path: As of ``ws(_:options:upgrade:onDrain:onDrop:_:)-(_,_,_,_,_,JazzyHandler)``.
    ///   - topics: Topics with history: ``Jazzy/history(_:keep:for:bytes:)``. Each is sent once.
    ///   - options: The options of the route. Its subprotocols are set.
    ///   - upgrade: Decides which clients are let in; `nil` lets in all that ``JazzyRouteOptions/origins`` allows. A state
    ///     that it gives is not kept.
    public static func resumable(
        _ path: String, topics: [String], options: JazzyRouteOptions = JazzyRouteOptions(),
        upgrade: JazzyUpgradeHook? = nil
    ) {
        Jazzy.server.resumable(path, topics: topics, options: options, upgrade: upgrade)
    }

    /// Registers a WebSocket route that sends several topics with history, which a hook chooses, over one connection, each
    /// from where the client was when it lost its connection.
    ///
    /// See ``JazzyServer/resumable(_:topics:options:upgrade:)-(_,JazzyTopicsHook,_,_)``.
    ///
    /// - Parameters:
    ///   - path: As of ``ws(_:options:upgrade:onDrain:onDrop:_:)-(_,_,_,_,_,JazzyHandler)``.
    ///   - topics: Chooses the topics, on the client's event loop, before it is let in.
    ///   - options: The options of the route. Its subprotocols are set.
    ///   - upgrade: Decides which clients are let in; `nil` lets in all that ``JazzyRouteOptions/origins`` allows. A state
    ///     that it gives is not kept.
    public static func resumable(
        _ path: String, topics: @escaping JazzyTopicsHook, options: JazzyRouteOptions = JazzyRouteOptions(),
        upgrade: JazzyUpgradeHook? = nil
    ) {
        Jazzy.server.resumable(path, topics: topics, options: options, upgrade: upgrade)
    }
}

extension [String] {
    /// By their bytes, as topics are compared.
    fileprivate var withoutRepetitions: [String] {
        var seen: Set<[UInt8]> = []
        return filter { seen.insert(Array<UInt8>($0.utf8)).inserted }
    }
}

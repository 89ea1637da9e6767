import CJazzyPoll

/// What the core keeps for a server, whoever holds it: found by its connections' handles, too.
final class ServerContext: Sendable {
    let coders: JazzyCoders

    init(_ options: JazzyOptions) {
        coders = options.coders
    }

    /// The context must live as long as a server with these options.
    func set(in options: inout jz_options) {
        options.context = Unmanaged.passUnretained(self).toOpaque()
    }
}

extension ServerCalls {
    /// Those of the server's options.
    var coders: JazzyCoders {
        guard let context = jz_server_context(core) else { return .default }
        return Unmanaged<ServerContext>.fromOpaque(context)._withUnsafeGuaranteedRef { $0.coders }
    }
}

extension JazzyCoders {
    /// Those of the route whose handler the calling thread runs with a message. Looked for only when they are needed, so
    /// that a message that is not decoded costs nothing more.
    static var ofMessageBeingHandled: JazzyCoders { of(jz_current_ws()) ?? .default }

    /// Those of a connection's route, from any thread; `nil` if the connection is gone.
    static func of(_ ws: jz_ws) -> JazzyCoders? {
        var coders: JazzyCoders?
        let visit: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Void = { coders, context in
            guard let coders, let context else { return }
            // Copied while the core keeps the route, and so `CoreServer` its context.
            Unmanaged<HandlerContext>.fromOpaque(context)._withUnsafeGuaranteedRef {
                coders.assumingMemoryBound(to: JazzyCoders?.self).pointee = $0.coders
            }
        }
        withUnsafeMutablePointer(to: &coders) { _ = jz_ws_visit_context(ws, visit, $0) }
        return coders
    }
}

/// The closures of a WebSocket route.
struct RouteClosures: Sendable {
    var handler: JazzyHandler
    let upgrade: JazzyUpgradeHook?
    let onDrain: JazzyOutputHandler?
    let onDrop: JazzyOutputHandler?

    /// Wraps the state of an acceptance for the route's handler; `nil` if it has the wrong type.
    var keepState: @Sendable (any Sendable) -> sending AnyObject? = { keptState($0) }

    /// Decides instead of ``upgrade``, if the route has one whose state has the route's type.
    var admission: UpgradeDecider?

    /// Handles each connection in a task, which the ``handler`` starts.
    var asynchronous: JazzyAsyncHandler?

    /// Is told what the handlers do, in tests.
    var observer: (any ServerObserver)?

    /// Decides which clients are let in; `nil` if the route has no hook.
    var decision: UpgradeDecider? {
        if let admission { return admission }
        guard let upgrade else { return nil }
        return { [keepState] request in
            let answer = try await upgrade(request)
            guard case .accept(_, _, let state?, _) = answer.answer else { return UpgradeDecision(upgrade: answer) }
            return UpgradeDecision(upgrade: answer, kept: keepState(state))
        }
    }

    /// The same with the handler that starts the tasks, if there is an asynchronous one; it logs what they throw.
    func startingTasks(_ coders: JazzyCoders, _ errors: HandlerErrors) -> Self {
        guard let asynchronous else { return observed }
        var closures = self
        closures.handler = JazzySwift.startingTasks(asynchronous, coders, errors, observer)
        return closures.observed
    }
}

/// What an upgrade hook has decided, and the state that it gave, as the connection keeps it.
struct UpgradeDecision {
    let upgrade: JazzyUpgrade
    var kept: AnyObject?
}

typealias UpgradeDecider = @Sendable (_ request: JazzyRequest) async throws -> sending UpgradeDecision

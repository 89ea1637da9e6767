/// The closures of a WebSocket route.
struct RouteClosures: Sendable {
    var handler: JazzyHandler
    let upgrade: JazzyUpgradeHook?
    let onDrain: JazzyOutputHandler?
    let onDrop: JazzyOutputHandler?

    /// Wraps the state of an acceptance for the route's handler; `nil` if it has the wrong type.
    var keepState: @Sendable (any Sendable) -> AnyObject? = { keptState($0) }

    /// Handles each connection in a task, which the ``handler`` starts.
    var asynchronous: JazzyAsyncHandler?

    /// The same with the handler that starts the tasks, if there is an asynchronous one; it logs what they throw.
    func startingTasks(_ errors: HandlerErrors) -> Self {
        guard let asynchronous else { return self }
        var closures = self
        closures.handler = JazzySwift.startingTasks(asynchronous, errors)
        return closures
    }
}

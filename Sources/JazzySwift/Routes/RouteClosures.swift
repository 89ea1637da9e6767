/// The closures of a WebSocket route.
struct RouteClosures: Sendable {
    let handler: JazzyHandler
    let upgrade: JazzyUpgradeHook?
    let onDrain: JazzyOutputHandler?
    let onDrop: JazzyOutputHandler?

    /// Wraps the state of an acceptance for the route's handler; `nil` if it has the wrong type.
    var keepState: @Sendable (any Sendable) -> AnyObject? = { keptState($0) }
}

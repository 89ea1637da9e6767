/// What a WebSocket route calls.
struct RouteClosures: Sendable {
    let handler: JazzyHandler
    let upgrade: JazzyUpgradeHook?
    let onDrain: JazzyOutputHandler?
    let onDrop: JazzyOutputHandler?

    /// Puts the state of an acceptance where the route's handler looks for it; `nil` where it is of the wrong type.
    var keepState: @Sendable (any Sendable) -> AnyObject? = { keptState($0) }
}

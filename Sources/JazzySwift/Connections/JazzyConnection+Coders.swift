extension JazzyConnection where Self: ~Escapable {
    /// The coders of the connection's route: ``JazzyRouteOptions/coders``. When the connection is gone they are
    /// ``JazzyCoders/default``, because nothing can be sent any more.
    public var coders: JazzyCoders { JazzyCoders.of(webSocket.core) ?? .default }
}

/// What happens to a message for a connection whose unsent output has reached ``JazzyOptions/backpressureLimit``.
public enum JazzyBackpressurePolicy: Sendable {
    /// It is dropped, and counted: ``JazzyServer/droppedCount``.
    case drop

    /// Likewise, and the connection is closed with code 1013, Try Again Later.
    case close

    /// Likewise, and the route's `onDrop` is called, once until the output has drained: for what is published, whose
    /// sender does not learn who missed it.
    case report
}

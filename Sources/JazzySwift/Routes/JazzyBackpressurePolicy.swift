/// What happens to a message if the receiving connection's unsent output has reached
/// ``JazzyOptions/backpressureLimit``.
public enum JazzyBackpressurePolicy: Sendable {
    /// The message is dropped, and counted: ``JazzyServer/droppedCount``.
    case drop

    /// The same, and the connection is closed with code 1013, Try Again Later.
    case close

    /// The same, and the route's `onDrop` is called, once until the output has drained: useful for publications, whose
    /// sender does not learn which receivers missed them.
    case report
}

/// What happens to a message if the receiving connection's unsent output has reached
/// ``JazzyOptions/backpressureLimit``.
public enum JazzyBackpressurePolicy: Sendable {
    /// The message is dropped, and counted: ``JazzyServer/droppedCount``.
    case drop

    /// The same, and the connection is closed with code 1013, Try Again Later. If it was its own handler that sent
    /// too much, on the event loop or on workers, it gets none of the messages that wait then; else those that wait for
    /// a worker come before the close event.
    case close

    /// The same, and the route's `onDrop` is called, once until the output has drained: useful for publications, whose
    /// sender does not learn which receivers missed them.
    case report
}

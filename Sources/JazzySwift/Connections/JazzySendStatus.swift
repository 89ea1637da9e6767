import CJazzyPoll

/// The result of sending.
public enum JazzySendStatus: Sendable {
    /// Accepted: it goes to the kernel at the latest at the end of this loop iteration, or of more than 128 KiB in
    /// portions, one in each of the next, where other connections would wait for it.
    case sent
    /// Accepted: it waits behind unsent output, or is on its way to the event loop that owns the connection.
    case queued
    /// Refused: ``JazzyOptions/backpressureLimit`` is reached, there is no memory, or it may not be sent.
    case dropped
    /// Refused: the connection is closing or gone.
    case closed
}

extension JazzySendStatus {
    @inlinable
    init(_ status: jz_send_status) {
        switch status {
        case JZ_SEND_SENT: self = .sent
        case JZ_SEND_QUEUED: self = .queued
        case JZ_SEND_DROPPED: self = .dropped
        default: self = .closed
        }
    }
}

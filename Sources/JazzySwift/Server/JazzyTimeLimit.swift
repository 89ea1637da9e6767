/// A time limit, or none.
public enum JazzyTimeLimit: Hashable, Sendable {
    /// There is no limit.
    case never

    /// The limit, rounded down to whole milliseconds.
    case after(Duration)
}

extension JazzyTimeLimit: CustomStringConvertible {
    /// The duration, or ".never".
    public var description: String {
        switch self {
        case .never: ".never"
        case .after(let duration): "\(duration)"
        }
    }
}

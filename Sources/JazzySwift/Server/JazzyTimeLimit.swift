/// How long something may last, where it may also last for ever.
public enum JazzyTimeLimit: Hashable, Sendable {
    /// There is no limit.
    case never

    /// The limit, in whole milliseconds: what is beyond them is cut off.
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

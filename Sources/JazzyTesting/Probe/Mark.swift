/// The payload of a ping that the test sends through the server to a probe: what the server has sent to the probe before
/// has arrived when it arrives, because the messages to a connection keep their order. A handler never sees it.
struct Mark: Sendable {
    /// The connection's number.
    let connection: UInt64
    let number: UInt64

    init(_ connection: UInt64, _ number: UInt64) {
        self.connection = connection
        self.number = number
    }

    /// `nil`: the ping is not a mark.
    init?(_ payload: [UInt8]) {
        guard payload.count == 32, payload.starts(with: Self.sign) else { return nil }
        let numbers = payload.dropFirst(16).reduce(into: (UInt64(0), UInt64(0))) { numbers, byte in
            numbers = (numbers.0 << 8 | numbers.1 >> 56, numbers.1 << 8 | UInt64(byte))
        }
        self.init(numbers.0, numbers.1)
    }

    var payload: [UInt8] { Self.sign + bigEndian(connection) + bigEndian(number) }

    /// No other ping begins with it, other than by accident once in 2¹²⁸ times.
    private static let sign = randomBytes(16)
}

func randomBytes(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
}

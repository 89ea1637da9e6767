/// Allows so many messages per second, on average, and so many at once.
struct RateLimit {
    private let rate: Double
    private let burst: Double
    private var allowance: Double
    private var lastTime = ContinuousClock.now

    init(perSecond rate: Double, burst: Double) {
        self.rate = rate
        self.burst = burst
        allowance = burst
    }

    /// Whether one more message is allowed now.
    mutating func take() -> Bool {
        let now = ContinuousClock.now
        allowance = min(burst, allowance + (now - lastTime) / .seconds(1) * rate)
        lastTime = now
        guard allowance >= 1 else { return false }
        allowance -= 1
        return true
    }
}

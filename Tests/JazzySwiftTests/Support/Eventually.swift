import JazzyPlatform

/// Polls until the condition holds, and fails when it does not within ten seconds, or as long as is said.
func eventually(_ what: String, within limit: Duration = .seconds(10), _ condition: () throws -> Bool) throws {
    let end = ContinuousClock.now + limit
    while try !condition() {
        guard ContinuousClock.now < end else { throw TestFailure("never happened: \(what)") }
        usleep(2_000)
    }
}

/// The same, without blocking the thread: for tests of what must not be blocked.
func awaitEventually(
    _ what: String, within limit: Duration = .seconds(10), _ condition: () throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try !condition() {
        guard ContinuousClock.now < end else { throw TestFailure("never happened: \(what)") }
        try await Task.sleep(for: .milliseconds(2))
    }
}

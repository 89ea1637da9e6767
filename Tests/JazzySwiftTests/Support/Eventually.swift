import Glibc

/// Polls until the condition holds, and fails when it does not within ten seconds, or as long as is said.
func eventually(_ what: String, within limit: Duration = .seconds(10), _ condition: () throws -> Bool) throws {
    let end = ContinuousClock.now + limit
    while try !condition() {
        guard ContinuousClock.now < end else { throw TestFailure("never happened: \(what)") }
        usleep(2_000)
    }
}

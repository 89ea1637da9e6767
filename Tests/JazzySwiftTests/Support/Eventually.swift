import Glibc

/// Polls until the condition holds, and fails when it does not within ten seconds.
func eventually(_ what: String, _ condition: () throws -> Bool) throws {
    let end = ContinuousClock.now + .seconds(10)
    while try !condition() {
        guard ContinuousClock.now < end else { throw TestFailure("never happened: \(what)") }
        usleep(2_000)
    }
}

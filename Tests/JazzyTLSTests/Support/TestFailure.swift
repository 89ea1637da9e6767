struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Polls until the condition holds, and fails when it does not within ten seconds.
func eventually(_ what: String, _ condition: () throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(10)
    while try !condition() {
        guard ContinuousClock.now < end else { throw TestFailure("never happened: \(what)") }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// Marks what other products of this package call on the threads of their brokers.
///
/// A server's end waits for its broker's thread. So if a closure that is called there had the last reference to the
/// server, another thread has to destroy it.
package enum BrokerThread {
    @TaskLocal static var isCurrent = false

    /// Calls `body`, on a thread of a broker.
    package static func run<Result>(_ body: () -> Result) -> Result {
        $isCurrent.withValue(true, operation: body)
    }
}

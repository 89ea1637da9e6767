import Foundation
import JazzySwift
import Synchronization

/// Serves on a free port until SIGTERM, for an example that has routes alone.
public func serve(_ server: JazzyServer) async throws {
    try server.listen(host: "127.0.0.1", port: 0)
    try await server.runUntilCancelled(untilSignal: true)
}

private let isTerminated = Mutex(false)

/// Waits for SIGTERM, in the place of a time, and no more once that has come.
public func untilTerminated() async {
    guard !isTerminated.withLock({ $0 }) else { return }
    signal(SIGTERM, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: SIGTERM)
    await withCheckedContinuation { continuation in
        source.setEventHandler { continuation.resume() }
        source.resume()
    }
    source.cancel()
    isTerminated.withLock { $0 = true }
}

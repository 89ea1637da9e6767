internal import JazzyPlatform

/// Runs work on a thread of its own, which is not one of those that run tasks, with a stack like those of the server's
/// other threads.
///
/// - Parameter stackSize: In bytes. What the core would refuse is brought into its range here: setting up the server,
///   which is a part of the work, says what is wrong with it.
func onOwnThread(stackSize: Int, _ work: @escaping @Sendable () -> Void) throws(JazzyError) {
    let size = min(max(stackSize, 256 * kibi), gibi) / pageMultiple * pageMultiple
    let context = Unmanaged.passRetained(Work(run: work))
    let refusal = startDetached(size, context.toOpaque())
    guard refusal != 0 else { return }
    context.release()
    throw JazzyError(
        .system,
        "cannot start a thread for an event loop: there are as many as may be (`ulimit -u`), or there is no room for "
            + "its stack of \(size) bytes; allow more of them, or lower threadStackSize")
}

/// A multiple of the size of a page, on every machine.
private let pageMultiple = 64 * kibi

private final class Work: Sendable {
    let run: @Sendable () -> Void

    init(run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

/// Returns 0, or why there is no thread.
private func startDetached(_ stackSize: Int, _ context: UnsafeMutableRawPointer) -> Int32 {
    withUnsafeTemporaryAllocation(of: pthread_attr_t.self, capacity: 1) { attributes in
        guard let attributes = attributes.baseAddress else { return ENOMEM }
        let refusal = pthread_attr_init(attributes)
        guard refusal == 0 else { return refusal }
        defer { pthread_attr_destroy(attributes) }
        pthread_attr_setstacksize(attributes, stackSize)
        pthread_attr_setdetachstate(attributes, CInt(PTHREAD_CREATE_DETACHED))
        return withUnsafeTemporaryAllocation(of: StartedThread.self, capacity: 1) { thread in
            guard let thread = thread.baseAddress else { return ENOMEM }
            return pthread_create(
                thread, attributes,
                { context in
                    run(context)
                    return nil
                }, context)
        }
    }
}

/// The context is optional on some systems.
private func run(_ context: UnsafeMutableRawPointer?) {
    if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().run() }
}

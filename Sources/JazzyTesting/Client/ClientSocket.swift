import Dispatch
internal import JazzyPlatform
import Synchronization

/// A socket that a queue of its own reads and writes: it blocks no thread that runs tasks.
final class ClientSocket: Sendable {
    /// What happens is one thing at a time, on the queue.
    private struct State: Sendable {
        var unsent: [UInt8] = []
        /// Bytes that were to be sent, and that the kernel has.
        var (enqueued, sent) = (0, 0)
        var hasEnded = false
        var isWriting = false
    }

    let localAddress: String

    /// Not a global queue, which shares its threads with tasks on Linux.
    private let queue = DispatchQueue(label: "jazzy.test-client")
    private let descriptor: Int32
    private let sources: Sources
    private let state = Watched(State())

    /// `@unchecked Sendable`: libdispatch's sources may be used on any thread, and the variables are only used on the
    /// queue.
    private final class Sources: @unchecked Sendable {
        let reading: any DispatchSourceRead
        var writing: (any DispatchSourceWrite)?
        /// Until the descriptor is closed no new source may watch it: it would still be watched when another socket has
        /// its number, and that one's events would get lost.
        var isCancelled = false
        /// The server has ended its direction, and the connection ends when all is sent. Nothing is read meanwhile.
        var isFinishing = false
        /// It will be received again, whether the source says so or not.
        var goesOnReceiving = false

        init(_ reading: any DispatchSourceRead) {
            self.reading = reading
        }

        /// What is suspended learns of nothing, not even that it is cancelled.
        func cancelReading() {
            reading.cancel()
            if isFinishing { reading.resume() }
        }
    }

    init(port: Int) throws {
        descriptor = try loopbackSocket(port: port)
        localAddress = addressOfThisSide(descriptor)
        makeNonBlocking(descriptor)
        sendAtOnce(descriptor)
        sources = Sources(DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue))
    }

    /// Calls `take` with what comes, in order, and at the end with `nil`. Call it once.
    func begin(_ take: @escaping @Sendable ([UInt8]?) -> Void) {
        sources.reading.setEventHandler { [self] in
            if !sources.goesOnReceiving { receive(take) }
        }
        sources.reading.setCancelHandler { [self] in
            state.change { $0.hasEnded = true }
            // Nothing watches the descriptor any more.
            close(descriptor)
            take(nil)
        }
        sources.reading.activate()
    }

    /// Sends bytes, and returns when the kernel has them.
    func send(_ bytes: [UInt8], within limit: Duration) async throws {
        try await awaitSent(enqueue(bytes), within: limit)
    }

    /// Waits until the kernel has so many of all bytes.
    func awaitSent(_ end: Int, within limit: Duration) async throws {
        let isSent = try await state.first(within: limit) { _ in
            "the kernel does not take what is to be sent: the server does not read"
        } _: { state -> Bool? in
            state.sent >= end ? true : state.hasEnded ? false : nil
        }
        guard isSent else { throw JazzyTestError(.ended, "the connection has ended, and nothing can be sent") }
    }

    /// Bytes that were to be sent, and that the kernel has not taken.
    var unsent: Int { state.change { $0.unsent.count } }

    /// Sends bytes, and does not wait. Returns the number of all bytes until then.
    @discardableResult
    func enqueue(_ bytes: [UInt8]) -> Int {
        let end = state.change { state in
            state.unsent += bytes
            state.enqueued += bytes.count
            return state.enqueued
        }
        queue.async { [self] in flush() }
        return end
    }

    /// Ends the connection. What the kernel does not have yet is not sent.
    func end(withReset isReset: Bool = false) {
        queue.async { [self] in
            guard !sources.isCancelled else { return }
            if isReset { endWithReset(descriptor) }
            cancel()
        }
    }

    // MARK: On the queue

    /// How often it is received before the queue does something else: a server may never pause.
    private static let mostReceived = 4

    private func receive(_ take: @escaping @Sendable ([UInt8]?) -> Void) {
        for _ in 0..<Self.mostReceived {
            var count = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, length in
                count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
                length = max(0, count)
            }
            if count > 0 {
                take(bytes)
                continue
            }
            if count < 0, errno == EINTR { continue }
            if count == 0 || errno != EAGAIN {
                finish()
            }
            return
        }
        goOnReceiving(take)
    }

    /// Behind what waits for the queue. The source may not say again that there is more: that a connection was reset it
    /// says once, and nothing after it.
    private func goOnReceiving(_ take: @escaping @Sendable ([UInt8]?) -> Void) {
        sources.goesOnReceiving = true
        queue.async { [self] in
            sources.goesOnReceiving = false
            if !sources.isCancelled { receive(take) }
        }
    }

    /// The server may have ended only its own direction, and wait for the answers to what came before, which may be more
    /// than the kernel takes at once.
    private func finish() {
        guard !sources.isFinishing else { return }
        sources.isFinishing = true
        sources.reading.suspend()
        flush()
    }

    private func flush() {
        guard !sources.isCancelled else { return }
        state.change { state in
            while !state.unsent.isEmpty, !state.isWriting {
                let count = state.unsent.withUnsafeBytes { Self.send(descriptor, $0) }
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN {
                    state.isWriting = true
                    return
                }
                guard count > 0 else { return }
                state.unsent.removeFirst(count)
                state.sent += count
            }
        }
        let isWriting = state.value.isWriting
        if isWriting, sources.writing == nil { flushWhenWritable() }
        if !isWriting, sources.isFinishing { cancel() }
    }

    private static func send(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        JazzyPlatform.send(descriptor, bytes.baseAddress, bytes.count, noSignal)
    }

    private func flushWhenWritable() {
        let writing = DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: queue)
        sources.writing = writing
        writing.setEventHandler { [self] in
            sources.writing?.cancel()
            sources.writing = nil
            state.change { $0.isWriting = false }
            flush()
        }
        writing.activate()
    }

    /// The reading source goes last, because with it the descriptor is closed.
    private func cancel() {
        guard !sources.isCancelled else { return }
        sources.isCancelled = true
        guard let writing = sources.writing else { return sources.cancelReading() }
        sources.writing = nil
        writing.setCancelHandler { [sources] in sources.cancelReading() }
        writing.cancel()
    }
}

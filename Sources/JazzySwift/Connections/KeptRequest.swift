import CJazzyPoll
import Synchronization

/// A copy of the head of a connection's request, for the time after its open event. Parsed once, when it is needed.
///
/// `@unchecked Sendable` because of its pointer, which never changes: the core lets any threads parse the copy at the
/// same time (`jz_ws_keep_request`), and only `deinit` frees it.
final class KeptRequest: @unchecked Sendable {
    private let core: OpaquePointer
    private let cache = Mutex<JazzyRequest?>(nil)

    /// Call it in the open event. `nil` if there is no memory.
    init?(of ws: JazzyWebSocket) {
        guard let core = jz_ws_keep_request(ws.core) else { return nil }
        self.core = core
    }

    deinit {
        jz_kept_request_free(core)
    }

    /// `nil` if there is no memory.
    var parsed: JazzyRequest? {
        cache.withLock { cached in
            if cached == nil, let request = jz_kept_request_parse(core) {
                cached = JazzyRequest(request)
                jz_request_free(request)
            }
            return cached
        }
    }
}

import CJazzyPoll
import Synchronization

extension HandlerContext {
    /// The callback of every route with an upgrade hook.
    static let upgradeCallback: jz_upgrade_hook = { context, handshake, request in
        guard let context, let request else { return }
        let handshake = Handshake(core: handshake)
        Unmanaged<HandlerContext>.fromOpaque(context).takeUnretainedValue()
            .decide(handshake, JazzyRequest(request).sent(by: handshake.webSocket))
    }

    /// Called once for each call of `upgradeCallback`, on the same thread, when the question is over.
    static let upgradeEndCallback: jz_upgrade_end = { context, handshake in
        guard let context else { return }
        Unmanaged<HandlerContext>.fromOpaque(context).takeUnretainedValue()
            .cancelHook(of: Handshake(core: handshake))
    }

    /// The task begins on this thread, the loop's (SE-0472): a hook that does not suspend has answered when this
    /// returns, without switching threads. The task retains the context, because it may outlive the server. It is
    /// detached, because the loop's thread may be in a task that runs the server, and the hook is not part of that
    /// task.
    private func decide(_ handshake: Handshake, _ request: JazzyRequest) {
        guard let decide = closures.decision else { return }
        let task = Task.immediateDetached { [self] in
            do {
                answer(handshake, try await decide(request))
            } catch {
                // After cancellation nobody waits for the answer, and an error is expected.
                tell(handshake.webSocket, handshake.isWaiting ? .error : .debug, "upgrade hook", threw: error)
                _ = handshake.reject(status: 500)
            }
        }
        // If another thread has posted the answer already, `upgradeEndCallback` has not been called yet.
        if handshake.isWaiting { suspendedHooks.withLock { $0[handshake.core.value] = task } }
    }

    private func cancelHook(of handshake: Handshake) {
        // Cancel outside of the lock, because that calls the hook's cancellation handlers.
        suspendedHooks.withLock { $0.removeValue(forKey: handshake.core.value) }?.cancel()
    }

    private func answer(_ handshake: Handshake, _ decision: UpgradeDecision) {
        let status: jz_answer_status
        switch decision.upgrade.answer {
        case .accept(let subprotocol, let headers, let state, let compression):
            if let state, decision.kept == nil {
                return refuse(
                    handshake,
                    "gave a state that is not of the route's type: \(type(of: state)); a hook that returns a "
                        + "JazzyAdmission gives one that the compiler has checked")
            }
            status = handshake.accept(
                subprotocol: subprotocol, headers: headers, state: surrounded(decision), compression: compression)
        case .reject(let code, let headers, let body):
            status = handshake.reject(status: code, headers: headers, body: body)
        }
        switch status {
        case JZ_ANSWER_INVALID: refuse(handshake, "gave an answer that may not be sent: \(decision.upgrade)")
        case JZ_ANSWER_OUT_OF_MEMORY: refuse(handshake, "gave an answer that there is no memory for")
        default: break
        }
    }

    /// The state, with what the connection's task is to run in, if there are both.
    private func surrounded(_ decision: UpgradeDecision) -> AnyObject? {
        guard closures.asynchronous != nil, let surroundings = decision.upgrade.surroundings else {
            return decision.kept
        }
        return SurroundedState(given: decision.kept as? any GivenState, surroundings: surroundings)
    }

    private func refuse(_ handshake: Handshake, _ reason: String) {
        handshake.webSocket.log(.error, "the upgrade hook of \(path) \(reason)")
        _ = handshake.reject(status: 500)
    }
}

import CJazzyPoll

extension HandlerContext {
    /// For every route with an upgrade hook.
    static let upgradeCallback: jz_upgrade_hook = { context, handshake, request in
        guard let context, let request else { return }
        Unmanaged<HandlerContext>.fromOpaque(context).takeUnretainedValue()
            .decide(Handshake(core: handshake), JazzyRequest(request))
    }

    /// The task begins on this thread, the loop's (SE-0472): a hook that does not suspend has answered when this
    /// returns, without a change of threads. It keeps the context, because it may outlive the server. It is detached
    /// because the loop's thread may be in a task, in which the server runs, and the hook is no part of that.
    private func decide(_ handshake: Handshake, _ request: JazzyRequest) {
        guard let upgrade = closures.upgrade else { return }
        Task.immediateDetached { [self] in
            do {
                answer(handshake, try await upgrade(request))
            } catch {
                tell(handshake.webSocket, .error, "upgrade hook", threw: error)
                _ = handshake.reject(status: 500)
            }
        }
    }

    private func answer(_ handshake: Handshake, _ upgrade: JazzyUpgrade) {
        let status: jz_answer_status
        switch upgrade.answer {
        case .accept(let subprotocol, let headers, let state):
            let kept = state.flatMap { closures.keepState($0) }
            if let state, kept == nil {
                return refuse(handshake, "gave a state that is not of the route's type: \(type(of: state))")
            }
            status = handshake.accept(subprotocol: subprotocol, headers: headers, state: kept)
        case .reject(let code, let headers, let body):
            status = handshake.reject(status: code, headers: headers, body: body)
        }
        switch status {
        case JZ_ANSWER_INVALID: refuse(handshake, "gave an answer that may not be sent: \(upgrade)")
        case JZ_ANSWER_OUT_OF_MEMORY: refuse(handshake, "gave an answer that there is no memory for")
        default: break
        }
    }

    private func refuse(_ handshake: Handshake, _ reason: String) {
        handshake.webSocket.log(.error, "the upgrade hook of \(path) \(reason)")
        _ = handshake.reject(status: 500)
    }
}

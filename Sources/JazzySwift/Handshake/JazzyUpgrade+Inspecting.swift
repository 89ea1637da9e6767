// What a hook has decided, to test it: call it with a `JazzyRequest` of your own.
extension JazzyUpgrade {
    /// Whether the client is let in.
    public var isAccepted: Bool {
        switch answer {
        case .accept: true
        case .reject: false
        }
    }

    /// The status of the response: 101 if the client is let in.
    public var status: Int {
        switch answer {
        case .accept: 101
        case .reject(let status, _, _): status
        }
    }

    /// The further headers of the response.
    public var headers: JazzyHeaders {
        switch answer {
        case .accept(_, let headers, _, _): headers
        case .reject(_, let headers, _): headers
        }
    }

    /// The subprotocol that was chosen: empty for none; `nil` if the route chooses, or the client is refused.
    public var subprotocol: String? {
        switch answer {
        case .accept(let subprotocol, _, _, _): subprotocol
        case .reject: nil
        }
    }

    /// The state that the connection is given; `nil` if there is none.
    public var state: (any Sendable)? {
        switch answer {
        case .accept(_, _, let state, _): state
        case .reject: nil
        }
    }

    /// Whether messages may be compressed for the client.
    public var allowsCompression: Bool {
        switch answer {
        case .accept(_, _, _, let compression): compression
        case .reject: false
        }
    }

    /// The body of a refusal; `nil` if it is the default one, or the client is let in.
    public var body: JazzyContent? {
        switch answer {
        case .accept: nil
        case .reject(_, _, let body): body
        }
    }
}

extension JazzyAdmission {
    /// Whether the client is let in.
    public var isAccepted: Bool { upgrade.isAccepted }

    /// The status of the response: 101 if the client is let in.
    public var status: Int { upgrade.status }

    /// The further headers of the response.
    public var headers: JazzyHeaders { upgrade.headers }

    /// The subprotocol that was chosen: empty for none; `nil` if the route chooses, or the client is refused.
    public var subprotocol: String? { upgrade.subprotocol }

    /// Whether messages may be compressed for the client.
    public var allowsCompression: Bool { upgrade.allowsCompression }

    /// The body of a refusal; `nil` if it is the default one, or the client is let in.
    public var body: JazzyContent? { upgrade.body }
}

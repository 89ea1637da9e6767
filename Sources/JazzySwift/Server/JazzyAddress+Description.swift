extension JazzyAddress: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The address as it is written in a program, without the names before the dot: `.port(8080, host: "127.0.0.1")`.
    ///
    /// It has no keys, and of what is in memory only how much that is. It is meant for people, and may change.
    public var description: String {
        if let transport = transports.first, transports.count == 1, case .port(let port, let host) = place,
            let written = transport.writer?.address(port: port, host: host)
        {
            return written
        }
        return transports.reversed().reduce(placeDescription) { address, transport in
            ".over(\(transport.writer?.name ?? "JazzyTransport"), \(address))"
        }
    }

    /// The same as the description.
    public var debugDescription: String { description }

    /// Without the content.
    public var customMirror: Mirror { Mirror(self, children: []) }

    private var placeDescription: String {
        switch place {
        case .port(let port, let host): ".port(\(port)\(written("host", host)))"
        case .unix(let path, let mode, let owner):
            ".unix(\(path.debugDescription)\(mode.map { ", mode: 0o\(String($0, radix: 8))" } ?? "")\(written("owner", owner)))"
        case .descriptor(let descriptor): ".descriptor(\(descriptor))"
        case .activated: ".activated"
        }
    }

    /// A further argument; nothing if it is left out.
    private func written(_ label: String, _ value: String?) -> String {
        value.map { ", \(label): \($0.debugDescription)" } ?? ""
    }
}

/// The id of a transport that knows how addresses with it are written.
package protocol AddressWriting: Hashable, Sendable {
    /// A TCP port with the transport.
    func address(port: Int, host: String?) -> String

    /// The transport alone.
    var name: String { get }
}

extension JazzyTransport {
    fileprivate var writer: (any AddressWriting)? {
        guard case .maker(let id, _) = source else { return nil }
        return id as? any AddressWriting
    }
}

import CJazzyPoll.Transport

extension JazzyTransport {
    /// Creates a transport, for a module that brings one, such as TLS.
    ///
    /// The functions are those of C that the header `jazzy/transport.h` describes, with all that they have to heed: the
    /// module `CJazzyPoll.Transport`. A server that listens on an address with the transport calls them on the threads of
    /// its event loops, for several connections at a time. Whether one of them is missing is checked when it is to listen.
    ///
    /// - Parameters:
    ///   - functions: They are copied.
    ///   - context: Is passed to `open`. It has to be there for as long as `owner` is, or for ever where there is none.
    ///   - owner: Is kept for as long as the transport or a copy of it is there, and as a server that listens with it
    ///     may call its functions. Often it is the object that `context` points to.
    public init(
        _ functions: jz_transport, context: UnsafeMutableRawPointer? = nil, owner: (any AnyObject & Sendable)? = nil
    ) {
        self.init(table: TransportTable(functions, context, owner))
    }
}

extension JazzyAddress {
    /// What it is listened on with, which has to live for as long as the server's core does.
    var transportTable: TransportTable? {
        guard case .over(let transport, _) = self else { return nil }
        return transport.table
    }
}

/// The functions of a transport, where the core finds them: it refers to them without owning them.
///
/// `@unchecked Sendable` because of its pointers. What `functions` points to is written by `init` and freed by `deinit`
/// alone. `context` is only handed on to the functions, whose rules (`jazzy/transport.h`) have them called on several
/// threads at a time: who gives it to a transport shares it.
final class TransportTable: @unchecked Sendable {
    private let functions: UnsafeMutablePointer<jz_transport>
    private let context: UnsafeMutableRawPointer?
    private let owner: (any AnyObject & Sendable)?

    init(_ functions: jz_transport, _ context: UnsafeMutableRawPointer?, _ owner: (any AnyObject & Sendable)?) {
        self.functions = .allocate(capacity: 1)
        self.functions.initialize(to: functions)
        self.context = context
        self.owner = owner
    }

    deinit {
        functions.deallocate()
    }

    /// Valid for as long as this object is there.
    var listenOptions: jz_listen_options { jz_listen_options(transport: functions, transport_context: context) }
}

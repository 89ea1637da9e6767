import CJazzyPoll.Transport

extension JazzyTransport {
    /// Creates a transport, for a module that brings one, such as TLS.
    ///
    /// The functions are C functions; the header `jazzy/transport.h` (the module `CJazzyPoll.Transport`) describes them
    /// and their rules. A server that listens on an address with the transport calls them on the threads of its event
    /// loops, for several connections at a time. A missing function is found when the server listens.
    ///
    /// - Parameters:
    ///   - functions: The table of functions, which is copied.
    ///   - context: Passed to `open`. It must live as long as `owner`, or for ever if that is `nil`.
    ///   - owner: Retained as long as the transport or a copy of it exists, and as long as a server may call its
    ///     functions. Often the object that `context` points to.
    public init(
        _ functions: jz_transport, context: UnsafeMutableRawPointer? = nil, owner: (any AnyObject & Sendable)? = nil
    ) {
        self.init(source: .table(TransportTable(functions, context, owner)))
    }
}

extension jz_transport {
    /// The functions of a transport that does not tell of itself; without the last two, it does not say that it is
    /// secure, and has no properties.
    public init(
        open: (
            @convention(c) (UnsafeMutableRawPointer?, Int32, UnsafePointer<UInt8>?, Int) -> UnsafeMutableRawPointer?
        )!,
        interest: (@convention(c) (UnsafeMutableRawPointer?, UInt32) -> UInt32)!,
        ready: (@convention(c) (UnsafeMutableRawPointer?, UInt32) -> UInt32)!,
        receive: (
            @convention(c) (
                UnsafeMutableRawPointer?, UnsafeMutablePointer<UInt8>?, Int, UnsafeMutablePointer<Int>?,
                UnsafeMutablePointer<Bool>?
            ) -> jz_io
        )!,
        send: (
            @convention(c) (
                UnsafeMutableRawPointer?, UnsafePointer<jz_piece>?, Int, Bool, UnsafeMutablePointer<Int>?
            ) -> jz_io
        )!,
        protocol: (@convention(c) (UnsafeMutableRawPointer?) -> UnsafePointer<CChar>?)!,
        failure: (@convention(c) (UnsafeMutableRawPointer?) -> UnsafePointer<CChar>?)!,
        close: (@convention(c) (UnsafeMutableRawPointer?) -> Void)!,
        is_secure: Bool = false,
        property: (
            @convention(c) (
                UnsafeMutableRawPointer?, Int, UnsafeMutablePointer<UnsafePointer<CChar>?>?,
                UnsafeMutablePointer<UnsafePointer<CChar>?>?, UnsafeMutablePointer<Int>?
            ) -> Bool
        )! = nil
    ) {
        self.init(
            open: open, interest: interest, ready: ready, receive: receive, send: send, protocol: `protocol`,
            failure: failure, close: close, is_secure: is_secure, property: property, report: nil)
    }
}

extension JazzyTransport {
    /// The functions, made now if they are not there. They must live as long as the server's core.
    func table(for options: JazzyOptions) throws(JazzyError) -> TransportTable {
        switch source {
        case .table(let table): return table
        case .maker(_, let make):
            guard case .table(let table) = try make(options).source else {
                throw JazzyError(
                    .invalidAddress,
                    "a transport is made when the server listens, and is then to be made once more; return one that is "
                        + "there")
            }
            return table
        }
    }
}

/// The functions of a transport, to which the core has an unowned pointer.
///
/// `@unchecked Sendable` because of its pointers. Only `init` writes what `functions` points to, and only `deinit`
/// frees it. `context` is only passed on to the functions, which may be called on several threads at a time
/// (`jazzy/transport.h`): a transport's author agrees to share it.
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

    /// Valid as long as this object lives.
    var listenOptions: jz_listen_options { jz_listen_options(transport: functions, transport_context: context) }

    /// The same.
    func adoptOptions(from address: UnsafePointer<CChar>) -> jz_adopt_options {
        jz_adopt_options(transport: functions, transport_context: context, remote_address: address)
    }
}

/// Something that a server can listen on, alone or together with others: at most 16 sockets in all.
///
/// Modules that bring a transport, such as `JazzyTLS`, add addresses of their own.
public struct JazzyAddress: Hashable, Sendable {
    /// What is listened on, below the transports.
    enum Place: Hashable, Sendable {
        case port(Int, host: String?)
        case unix(String, mode: Int?, owner: String?)
        case descriptor(Int32)
        case activated
    }

    let place: Place

    /// The outermost first. With more than one nobody can listen.
    private(set) var transports: [JazzyTransport] = []

    /// A TCP port.
    ///
    /// - Parameters:
    ///   - port: 0 to 65,535; with 0 the kernel chooses a free one.
    ///   - host: An IPv4 or IPv6 address or a name; `nil` means every address of this machine, IPv4 and IPv6.
    public static func port(_ port: Int, host: String? = nil) -> JazzyAddress {
        JazzyAddress(place: .port(port, host: host))
    }

    /// A Unix domain socket, by its path of at most 107 bytes.
    ///
    /// A socket file on which nobody listens any more is replaced. The file is removed when the server stops listening.
    /// Nobody can connect before the file has the mode and the owner.
    ///
    /// - Parameters:
    ///   - path: The path of the socket's file.
    ///   - mode: The permissions of the file, 1 to 0o777: users who may write may connect. `nil`: as the umask says.
    ///   - owner: As for `chown`: `user`, `user:group` or `:group`, by name or number; `nil`: the process's own.
    public static func unix(_ path: String, mode: Int? = nil, owner: String? = nil) -> JazzyAddress {
        JazzyAddress(place: .unix(path, mode: mode, owner: owner))
    }

    /// A stream socket that listens already, for instance an inherited one.
    ///
    /// The server owns it once it listens, and closes it when it stops listening. If listening fails, it stays open,
    /// and yours.
    public static func descriptor(_ descriptor: Int32) -> JazzyAddress {
        JazzyAddress(place: .descriptor(descriptor))
    }

    /// All sockets that systemd, or a compatible program, passes to this process: see `sd_listen_fds(3)`.
    ///
    /// Only once in a process: the server then owns the sockets. If there are none, listening throws
    /// ``JazzyError/Code/invalidState``.
    public static var activated: JazzyAddress { JazzyAddress(place: .activated) }

    /// Another address, whose connections go through a transport, for instance TLS. An address has at most one
    /// transport.
    public static func over(_ transport: JazzyTransport, _ address: JazzyAddress) -> JazzyAddress {
        var over = address
        over.transports.insert(transport, at: 0)
        return over
    }
}

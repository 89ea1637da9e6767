/// Something that a server can listen on, for itself or with others: at most 16 sockets in all.
public enum JazzyAddress: Hashable, Sendable {
    /// A TCP port.
    ///
    /// - Parameters:
    ///   - port: 0 to 65,535; 0 asks the kernel for a free one.
    ///   - host: An IPv4 or IPv6 address or a name; `nil` is every address of this machine, IPv4 and IPv6.
    case port(_ port: Int, host: String? = nil)

    /// A Unix domain socket, by its path of at most 107 bytes.
    ///
    /// A socket that another program left there without listening is replaced. It is removed when the server listens
    /// no more. Nobody can connect before its file has the mode and the owner.
    ///
    /// - Parameters:
    ///   - path: Of the socket's file.
    ///   - mode: The permissions of the file, 1 to 0o777: who may write may connect. `nil` is what the umask leaves.
    ///   - owner: As for `chown`: `user`, `user:group` or `:group`, by name or number; `nil` is the process's own.
    case unix(_ path: String, mode: Int? = nil, owner: String? = nil)

    /// A stream socket that listens already, such as one that was inherited.
    ///
    /// It is the server's once the server listens, and is closed when it listens no more. Where listening fails, it
    /// stays yours, and open.
    case descriptor(_ descriptor: Int32)

    /// All sockets that systemd, or who acts like it, hands to this process: see `sd_listen_fds(3)`.
    ///
    /// Once in a process: the sockets are then the server's. Where there is none, listening throws
    /// ``JazzyError/Code/invalidState``.
    case activated

    /// Another address, whose connections travel through a transport, for instance TLS. It has one transport at most.
    indirect case over(JazzyTransport, JazzyAddress)
}

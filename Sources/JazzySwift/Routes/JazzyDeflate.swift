/// Whether and how a route compresses messages (permessage-deflate, RFC 7692), for clients that offer it.
///
/// ```swift
/// Route.ws("/news", options: JazzyRouteOptions(deflate: .shared)) { ws, event, message in
///     if event == .open { ws.send("Welcome to the news.") }
/// }
/// ```
///
/// A message is compressed from the route's minimum size on, but never if it would grow. Each send may override this:
/// ``JazzyCompression``.
///
/// With *w* window bits and memory level *m*, a compressor takes 2^(*w* + 2) + 2^(*m* + 9) bytes + 6 KiB, and a
/// decompressor 2^*w* bytes + 7 KiB. The modes differ in who owns them:
///
/// | mode | memory of a connection | memory of an event loop |
/// | --- | --- | --- |
/// | ``off`` | none | none |
/// | ``shared`` | none | a compressor for each window size in use, 262 KiB, and one decompressor, 39 KiB |
/// | ``dedicated`` | a compressor, 262 KiB, and a decompressor, 39 KiB | none |
/// | `.dedicated(windowBits: 12, memoryLevel: 5)` | 38 KiB and 11 KiB | none |
/// | `.dedicated(windowBits: 9, memoryLevel: 1)` | 9 KiB and 7.5 KiB | none |
///
/// All of it is allocated for the first message that needs it. A client that offers no `client_max_window_bits` may use
/// the largest window, regardless of the route: its decompressor takes 39 KiB.
public struct JazzyDeflate: Equatable, Sendable {
    enum Mode: Sendable {
        case off
        case shared
        case dedicated
    }

    let mode: Mode
    var windowBits = 15
    var memoryLevel = 8
    var level = 6
    var minimumMessageSize = 64

    /// No compression.
    public static let off = Self(mode: .off)

    /// Each message is compressed on its own, without memory per connection.
    ///
    /// A message that is sent to many connections, one after the other, is compressed once.
    public static let shared = Self(mode: .shared)

    /// Messages refer to earlier ones of their connection, which makes small messages much smaller, but costs memory
    /// per connection.
    ///
    /// A client may turn this off for either direction (`no_context_takeover`), which then costs the same as
    /// ``shared``.
    public static let dedicated = Self(mode: .dedicated)

    /// The same as ``shared``, with parameters.
    ///
    /// - Parameters:
    ///   - windowBits: The largest window, as a power of two of bytes: 9 to 15.
    ///   - memoryLevel: The memory that zlib uses beside the window: 1 to 9.
    ///   - level: 1 (fastest) to 9 (smallest).
    ///   - minimumMessageSize: In bytes, 0 or more. A smaller message is sent uncompressed.
    public static func shared(
        windowBits: Int = 15, memoryLevel: Int = 8, level: Int = 6, minimumMessageSize: Int = 64
    ) -> Self {
        Self(
            mode: .shared, windowBits: windowBits, memoryLevel: memoryLevel, level: level,
            minimumMessageSize: minimumMessageSize)
    }

    /// The same as ``dedicated``, with parameters.
    ///
    /// - Parameters:
    ///   - windowBits: The largest window, as a power of two of bytes: 9 to 15.
    ///   - memoryLevel: The memory that zlib uses beside the window: 1 to 9.
    ///   - level: 1 (fastest) to 9 (smallest).
    ///   - minimumMessageSize: In bytes, 0 or more. A smaller message is sent uncompressed.
    public static func dedicated(
        windowBits: Int = 15, memoryLevel: Int = 8, level: Int = 6, minimumMessageSize: Int = 64
    ) -> Self {
        Self(
            mode: .dedicated, windowBits: windowBits, memoryLevel: memoryLevel, level: level,
            minimumMessageSize: minimumMessageSize)
    }
}

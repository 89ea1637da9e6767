import CJazzyPoll

extension JazzyCompression {
    @inlinable
    var core: jz_compression {
        switch self {
        case .automatic: JZ_COMPRESSION_AUTOMATIC
        case .always: JZ_COMPRESSION_ALWAYS
        case .never: JZ_COMPRESSION_NEVER
        }
    }
}

extension Array where Element == UInt8 {
    /// Copies borrowed bytes, for instance ``WsMessage/bytes``, to keep them.
    ///
    /// If the standard library or another module has the same initializer, that one is used.
    @_disfavoredOverload
    @inlinable
    public init(_ bytes: RawSpan) {
        self = bytes.withUnsafeBytes { Array($0) }
    }
}

extension Array where Element == UInt8 {
    /// Copies bytes that are borrowed, for instance ``WsMessage/bytes``, to keep them.
    ///
    /// Where the standard library or another module has the same initializer, that one is taken.
    @_disfavoredOverload
    @inlinable
    public init(_ bytes: RawSpan) {
        self = bytes.withUnsafeBytes { Array($0) }
    }
}

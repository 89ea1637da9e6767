#if !JazzyMetrics
    import JazzySwift

    /// Not there without the trait.
    @available(
        *, unavailable,
        message: "name the trait where you depend on the package: .package(…, traits: [\"JazzyMetrics\"])"
    )
    public struct JazzyServerMetrics {
        /// Not there without the trait.
        public init(_ server: JazzyServer) {}
    }
#endif

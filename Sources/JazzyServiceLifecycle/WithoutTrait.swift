#if !JazzyServiceLifecycle
    import JazzySwift

    /// Not there without the trait.
    @available(
        *, unavailable,
        message: "name the trait where you depend on the package: .package(…, traits: [\"JazzyServiceLifecycle\"])"
    )
    public struct JazzyService {
        /// Not there without the trait.
        public init(_ server: JazzyServer, on addresses: [JazzyAddress]? = nil) {}
    }
#endif

#if !JazzyLogging
    import JazzySwift

    extension JazzyOptions {
        /// Not there without the trait.
        @available(
            *, unavailable,
            message: "name the trait where you depend on the package: .package(…, traits: [\"JazzyLogging\"])"
        )
        public mutating func log(to logger: Any) {}
    }
#endif

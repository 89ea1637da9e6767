#if !JazzyTracing
    import JazzySwift

    /// Not there without the trait.
    @available(
        *, unavailable,
        message: "name the trait where you depend on the package: .package(…, traits: [\"JazzyTracing\"])"
    )
    public func traced(_ hook: @escaping JazzyUpgradeHook = { _ in .accept() }) -> JazzyUpgradeHook { hook }
#endif

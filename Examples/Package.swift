// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that none of its targets is part of the package that users depend on.
let package = Package(
    name: "jazzy-examples",
    dependencies: [.package(name: "jazzy", path: "..")],
    targets: [
        .executableTarget(
            name: "chat", dependencies: [.product(name: "JazzySwift", package: "jazzy")], path: "Chat")
    ],
    swiftLanguageModes: [.v6]
)

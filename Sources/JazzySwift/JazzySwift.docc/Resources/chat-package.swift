// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "chat",
    dependencies: [.package(path: "../jazzy")],
    targets: [
        .executableTarget(name: "chat", dependencies: [.product(name: "JazzySwift", package: "jazzy")])
    ],
    swiftLanguageModes: [.v6]
)

// swift-tools-version: 6.2
import PackageDescription

// Every Swift target is built with the same strictness; layers are explained in docs/ARCHITECTURE.md
// and checked by Scripts/layers.
let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .define("_GNU_SOURCE"),
]

extension Target {
    static func library(_ name: String, _ dependencies: [Dependency]) -> Target {
        .target(
            name: name, dependencies: dependencies,
            cSettings: [.define("_GNU_SOURCE")], swiftSettings: strict)
    }

    static func tests(_ name: String, _ dependencies: [Dependency] = []) -> Target {
        .testTarget(
            name: name + "Tests", dependencies: [.byName(name: name), "TestKit"] + dependencies,
            cSettings: [.define("_GNU_SOURCE")],
            swiftSettings: [.enableUpcomingFeature("ExistentialAny")])
    }
}

extension Target.Dependency {
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let yams = product(name: "Yams", package: "Yams")
    static let arguments = product(name: "ArgumentParser", package: "swift-argument-parser")
    static let system = product(name: "SystemPackage", package: "swift-system")
}

let package = Package(
    name: "exeat",
    products: [.executable(name: "exeat", targets: ["exeat"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        // 0: C libraries, each imported by exactly one Swift target
        .systemLibrary(
            name: "CZstd", path: "Sources/C/CZstd", pkgConfig: "libzstd",
            providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(
            name: "CZlib", path: "Sources/C/CZlib", pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(
            name: "CLzma", path: "Sources/C/CLzma", pkgConfig: "liblzma",
            providers: [.apt(["liblzma-dev"])]),
        .systemLibrary(
            name: "CBzip2", path: "Sources/C/CBzip2", providers: [.apt(["libbz2-dev"])]),
        .systemLibrary(
            name: "CCrypto", path: "Sources/C/CCrypto", pkgConfig: "libcrypto",
            providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CPQ", path: "Sources/C/CPQ", pkgConfig: "libpq",
            providers: [.apt(["libpq-dev"])]),
        .systemLibrary(
            name: "CMariaDB", path: "Sources/C/CMariaDB", pkgConfig: "libmariadb",
            providers: [.apt(["libmariadb-dev"])]),
        .systemLibrary(
            name: "CCurl", path: "Sources/C/CCurl", pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev", "libssl-dev"])]),
        // The standard library of C++ writes floating-point numbers without allocating.
        .target(name: "CNumbers", path: "Sources/C/CNumbers"),
        .target(name: "CLinux", path: "Sources/C/CLinux"),
        // 1: what everything stands on
        .library("Basics", ["CLinux"]),
        .library("Primitives", ["Basics", "CCrypto"]),
        // 2: bytes, and the model of an archive
        .library("Streams", ["Basics", "Primitives", "CZstd", "CZlib", "CLzma", "CBzip2"]),
        .library("Encryption", ["Basics", "Primitives", "Streams", .crypto]),
        .library("Manifests", ["Basics"]),
        .library("Plans", ["Basics", "Primitives", .yams]),
        // 3: evidence, trees, and the contract of connectors
        .library("Journals", ["Basics", "Primitives", "Streams"]),
        .library("Signatures", ["Basics", "Primitives", .crypto]),
        .library("Archives", ["Basics", "CLinux", "Primitives", "Streams"]),
        .library("Disks", ["Basics", "CLinux", "Primitives", "Streams"]),
        .library("Guests", ["Basics", "Primitives"]),
        .library("Connectors", ["Basics", "Primitives", "Streams", "Manifests", "Plans"]),
        .library(
            "Trees",
            ["Connectors", "Archives", "Basics", "Manifests", "Plans", "Primitives", "Streams"]),
        .library("HTTP", ["Basics", "Primitives", "Streams", "CCurl"]),
        .library("Logs", ["Basics", "Primitives", "Streams"]),
        .library("Redaction", ["Basics", "Primitives"]),
        .library("TimeStamps", ["Basics", "Primitives"]),
        .library("Deadlines", ["Basics"]),
        .library(
            "Databases",
            ["Connectors", "Basics", "Manifests", "Primitives", "Streams"]),
        // 4: the bag, and one module for each connector
        .library(
            "Bags", ["Basics", "Primitives", "Streams", "Manifests", "Journals", "Signatures"]),
        .library(
            "FileConnectors", ["Connectors", "Trees", "Basics", "Manifests", "Plans", "Streams"]),
        .library(
            "PostgreSQLConnector",
            [
                "Connectors", "Databases", "Basics", "Manifests", "Plans", "Primitives", "Streams",
                "CPQ",
            ]),
        .library(
            "MariaDBConnector",
            [
                "Connectors", "Databases", "Basics", "Manifests", "Plans", "Primitives", "Streams",
                "CMariaDB", "CNumbers",
            ]),
        .library(
            "ProxmoxConnector",
            [
                "Connectors", "Disks", "Guests", "HTTP", "Basics", "Manifests", "Plans",
                "Primitives",
                "Streams",
            ]),
        .library(
            "LogConnectors",
            [
                "Connectors", "Archives", "Trees", "Logs", "Basics", "Manifests", "Plans",
                "Primitives", "Streams",
            ]),
        .library(
            "ConfigConnectors",
            [
                "Connectors", "Archives", "Trees", "Redaction", "Basics", "Manifests", "Plans",
                "Primitives", "Streams",
            ]),
        // 5: the dossier, and runs
        .library(
            "Dossiers",
            [
                "Basics", "Primitives", "Streams", "Manifests", "Plans", "Journals", "Signatures",
                "TimeStamps", "Deadlines", "Bags",
            ]),
        .library(
            "Reports",
            [
                "Basics", "Primitives", "Streams", "Manifests", "Plans", "Journals", "Signatures",
                "TimeStamps", "Deadlines", "Bags", "Dossiers",
            ]),
        .library(
            "Runs",
            [
                "Basics", "Primitives", "Streams", "Encryption", "Manifests", "Plans", "Journals",
                "Signatures", "TimeStamps", "HTTP", "Connectors", "Bags", "Deadlines", "Dossiers",
            ]),
        .library(
            "Rehearsals",
            [
                "Basics", "Primitives", "Streams", "Manifests", "Plans", "Journals", "Signatures",
                "Connectors", "Disks", "Guests", "Bags", "Runs",
            ]),
        // 6, 7: the command line
        .library(
            "Commands",
            [
                "Runs", "FileConnectors", "PostgreSQLConnector", "MariaDBConnector",
                "ProxmoxConnector", "LogConnectors", "ConfigConnectors", "Dossiers", "Reports",
                "Rehearsals", "Deadlines", "Disks", "Basics", "Primitives", "Streams", "Plans",
                "Connectors", "Signatures",
                "Encryption", "Bags", "Manifests", .arguments,
            ]),
        .executableTarget(name: "exeat", dependencies: ["Commands"], swiftSettings: strict),
        // tests
        .target(
            name: "TestKit", dependencies: ["Basics", "Streams"], path: "Tests/TestKit",
            swiftSettings: [.enableUpcomingFeature("ExistentialAny")]),
        .tests("Basics"),
        .tests("Streams", ["Primitives"]),
        .tests("Encryption", ["Basics", "Primitives", "Streams", .crypto]),
        .tests("Plans", ["Basics", "Primitives"]),
        .tests("Journals", ["Basics", "Primitives"]),
        .tests("Signatures", ["Basics", "Primitives"]),
        .tests("Archives", ["Basics", "Primitives", "Streams"]),
        .tests("Disks", ["Basics", "Primitives", "Streams"]),
        .tests("PostgreSQLConnector", ["Basics", "Primitives", "Databases"]),
        .tests("MariaDBConnector", ["Basics"]),
        .tests("HTTP", ["Basics", "Primitives", "Streams"]),
        .tests("ProxmoxConnector", ["Basics", "HTTP", "Primitives", "Streams"]),
        .tests("Guests", ["Basics", "Primitives"]),
        .tests("Logs", ["Basics", "Primitives", "Streams"]),
        .tests("ConfigConnectors", ["Basics", "Primitives"]),
        .tests("Redaction", ["Basics", "Primitives"]),
        .tests("TimeStamps", ["Basics", "Primitives"]),
        .tests("Deadlines", ["Basics"]),
        .tests("Rehearsals", ["Basics", "Plans", "Guests", "Manifests", "Runs"]),
        .tests(
            "Reports",
            [
                "Basics", "Bags", "Manifests", "Primitives", "Connectors", "Deadlines", "Dossiers",
                "Trees", "PostgreSQLConnector", "MariaDBConnector", "ProxmoxConnector",
                "LogConnectors", "Runs", "Rehearsals",
            ]),
        .tests("Runs", ["Basics", "Connectors", "Manifests", "Streams"]),
        .tests("Bags", ["Basics", "Primitives", "Streams", "Signatures", "Journals"]),
    ],
    cxxLanguageStandard: .cxx17
)

// swift-tools-version: 6.2
import PackageDescription

/// Our own targets compile without warnings or not at all.
let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// Numeric kernels are C so that the compiler may use FMA and pick a clone at run time.
let kernels: [CSetting] = [.unsafeFlags(["-O3", "-fno-math-errno"])]

func pure(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name + "Tests", dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "freshet",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "freshet", targets: ["FreshetCommand"])],
    traits: [
        .trait(
            name: "TLS",
            description: "Calls of `freshet bench` to https addresses. Compiles BoringSSL, which nothing else here needs.")
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.10.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.100.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        // Without its traits: nothing here reads the framework's own configuration.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
    ],
    targets: [
        // C at the bottom: module maps, one C++ shim, SIMD kernels. Each is imported by one Swift target.
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CRDKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "CFaiss",
            // FAISS includes <omp.h>, which Swift's clang does not bring; the few names it needs are declared there.
            cxxSettings: [.headerSearchPath("openmp")],
            linkerSettings: [
                .linkedLibrary("faiss"), .linkedLibrary("openblas"), .linkedLibrary("gomp"), .linkedLibrary("m"),
                .linkedLibrary("stdc++"),
            ]),
        .target(name: "CKernels", cSettings: kernels),
        .target(name: "CBrokerPort"),
        .target(name: "CDigest", cSettings: kernels),
        .target(name: "CMessagePassing", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),

        // Pure: no I/O, no clock, no Foundation.
        pure("Bytes", ["CZlib"]),
        pure("Interactions", ["Bytes"]),
        pure("ForeignFormats", ["Bytes", "Interactions"]),
        pure("ForeignClients", ["Bytes", "Interactions", "ForeignFormats"]),
        pure("AvroRecords", ["Interactions"]),
        pure("Expressions", ["Bytes", "Interactions"]),
        pure("Features", ["Interactions"]),
        pure("Tensors", ["Bytes", "COpenBLAS", "CKernels"]),
        pure("Gradients", ["Tensors"]),
        pure("Evaluation", ["Tensors"]),
        pure("ContentModel", ["Bytes", "Tensors"]),
        pure("TowerModel", ["Bytes", "ContentModel", "Tensors"]),
        pure("TowerTraining", ["Bytes", "ContentModel", "TowerModel", "Evaluation", "Tensors"]),
        pure("MetaLearning", ["Tensors", "Gradients"]),
        pure("CandidateRanking", ["Tensors", "Evaluation"]),
        pure("Recommending", [
            "Bytes", "Interactions", "Features", "Tensors", "Gradients", "ContentModel", "TowerModel", "MetaLearning", "CandidateRanking",
        ]),
        pure("Simulation", ["Bytes", "Interactions"]),
        pure("TextEncoding", ["Tensors"]),

        // What several adapters do alike.
        .target(name: "Files", swiftSettings: strict),

        // Adapters at the edge.
        .target(
            name: "FeatureStore", dependencies: ["CLibPQ", "Interactions", "Features"],
            resources: [.embedInCode("Migrations")], swiftSettings: strict),
        .target(
            name: "EventStream",
            dependencies: ["CRDKafka", "CBrokerPort", "Bytes", "Files", "Interactions"], swiftSettings: strict),
        .target(name: "VectorIndex", dependencies: ["CFaiss", "Files", "Recommending", "Tensors"], swiftSettings: strict),
        .target(name: "MessagePassing", dependencies: ["CMessagePassing", "TowerTraining"], swiftSettings: strict),
        .target(
            name: "ModelArtifacts",
            dependencies: [
                "Bytes", "CDigest", "Files", "Interactions", "ContentModel", "Recommending", "Tensors", "TowerModel", "TextEncoding",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .target(
            name: "RecommendationAPI",
            dependencies: [
                "Bytes", "Interactions", "Recommending", "ForeignClients", "ForeignFormats",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            resources: [.embedInCode("Resources")], swiftSettings: strict),

        .target(name: "Reports", dependencies: ["Bytes", "Evaluation", "Interactions"], swiftSettings: strict),
        .target(
            name: "Console", dependencies: ["Bytes", "Interactions", .product(name: "Logging", package: "swift-log")], swiftSettings: strict),
        .target(
            name: "HTTPCalls",
            dependencies: [
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["TLS"])),
            ],
            swiftSettings: strict),
        .target(
            name: "Settings", dependencies: ["Bytes", "Interactions", "TowerModel", .product(name: "Yams", package: "Yams")],
            swiftSettings: strict),

        // Lines that tie adapters together, so that tests can walk them without a process.
        .target(
            name: "Intake",
            dependencies: [
                "Bytes", "Interactions", "AvroRecords", "Features", "ForeignFormats", "FeatureStore", "EventStream", "HTTPCalls",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        .target(
            name: "TrainingFiles",
            dependencies: [
                "Bytes", "Interactions", "Features", "ContentModel", "TowerModel", "TowerTraining", "Evaluation", "Recommending", "FeatureStore",
                "EventStream", "ModelArtifacts", "Console",
            ],
            swiftSettings: strict),

        // Above the lines: what measures them and what shows them.
        .target(
            name: "Workloads",
            dependencies: [
                "Bytes", "Interactions", "Features", "Tensors", "Evaluation", "ContentModel", "TowerModel", "TowerTraining", "Simulation",
                "Recommending", "TextEncoding", "Console", "EventStream", "FeatureStore", "HTTPCalls", "VectorIndex", "ModelArtifacts",
                "Intake", "TrainingFiles", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        // What answers over HTTP: the snapshot in force and its loops, records that come in, what is told of each part.
        .target(
            name: "Serving",
            dependencies: [
                "Bytes", "Interactions", "Features", "Tensors", "ContentModel", "TowerModel", "MetaLearning", "Evaluation", "Recommending",
                "FeatureStore", "EventStream", "VectorIndex", "ModelArtifacts", "RecommendationAPI", "Reports", "Console", "Intake",
                "TrainingFiles",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),

        // What is learned and judged, out of training files: rows of the registry are values here, database and broker are given.
        .target(
            name: "Learning",
            dependencies: [
                "Bytes", "Interactions", "Features", "Tensors", "Gradients", "ContentModel", "TowerModel", "TowerTraining", "MetaLearning",
                "Evaluation", "CandidateRanking", "Recommending", "FeatureStore", "TrainingFiles", "Reports", "Console",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        // Composition root.
        .executableTarget(
            name: "FreshetCommand",
            dependencies: [
                "Bytes", "Interactions", "Features", "Tensors", "Gradients", "ContentModel", "TowerModel", "TowerTraining", "MetaLearning",
                "Evaluation", "Recommending", "Simulation", "TextEncoding", "ForeignFormats", "FeatureStore", "EventStream", "VectorIndex",
                "ModelArtifacts", "MessagePassing",
                "RecommendationAPI", "TrainingFiles", "Settings", "Intake", "Console", "Reports", "Workloads", "Learning",
                "Serving",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict),

        // What tests share: databases of their own, and the built program as a process.
        .target(name: "TestSupport", dependencies: ["FeatureStore"], path: "Tests/TestSupport", swiftSettings: strict),
        // Hostile but plausible inputs, for every door where bytes come in.
        .target(name: "FuzzInputs", dependencies: ["Tensors"], path: "Tests/FuzzInputs", swiftSettings: strict),
        // Ranks of a training as threads of one process.
        .target(name: "RankSupport", dependencies: ["TowerTraining"], path: "Tests/RankSupport", swiftSettings: strict),
        tests("Architecture", []),
        tests("Bytes", ["Bytes"]),
        tests("Files", ["Files"]),
        tests("Interactions", ["Interactions", "FuzzInputs"]),
        tests("AvroRecords", ["AvroRecords", "Interactions", "FuzzInputs"]),
        tests("ForeignClients", ["ForeignClients", "Interactions", "FuzzInputs", "Tensors"]),
        tests("ForeignFormats", ["ForeignFormats", "Interactions", "FuzzInputs", "TestSupport"]),
        tests("Expressions", ["Expressions"]),
        tests("Features", ["Features", "Interactions"]),
        tests("Tensors", ["Tensors", "FuzzInputs"]),
        tests("Gradients", ["Gradients", "Tensors"]),
        tests("Evaluation", ["Evaluation", "Tensors"]),
        tests("ContentModel", ["ContentModel", "FuzzInputs", "Tensors"]),
        tests("TowerModel", ["ContentModel", "TowerModel", "TowerTraining", "Tensors"]),
        tests(
            "TowerTraining",
            ["Bytes", "ContentModel", "TowerModel", "TowerTraining", "Evaluation", "Gradients", "RankSupport", "Tensors"]),
        tests("MetaLearning", ["MetaLearning", "FuzzInputs", "Gradients", "Tensors"]),
        tests("CandidateRanking", ["CandidateRanking", "FuzzInputs", "Tensors"]),
        tests("Recommending", ["Recommending", "ContentModel", "Features", "FuzzInputs", "Interactions", "MetaLearning", "Tensors"]),
        tests("Simulation", ["Simulation", "Interactions"]),
        tests("TextEncoding", ["TextEncoding", "Tensors"]),
        tests("FeatureStore", ["FeatureStore", "Features", "Interactions", "TestSupport", "FuzzInputs"]),
        tests("EventStream", ["EventStream", "Interactions", "TestSupport", "FuzzInputs"]),
        tests(
            "TrainingFiles",
            [
                "TrainingFiles", "Console", "ContentModel", "Evaluation", "FeatureStore", "Features", "Interactions", "RankSupport",
                "Recommending", "Tensors", "TestSupport", "TowerModel", "TowerTraining", "FuzzInputs",
            ]),
        tests(
            "Intake",
            [
                "Intake", "EventStream", "FeatureStore", "Features", "ForeignFormats", "Interactions", "TestSupport", "FuzzInputs", "HTTPCalls",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),
        tests("VectorIndex", ["VectorIndex", "Recommending", "FuzzInputs"]),
        tests(
            "ModelArtifacts",
            [
                "CDigest", "ModelArtifacts", "CandidateRanking", "ContentModel", "Features", "FuzzInputs", "Interactions", "MetaLearning", "Recommending",
                "Tensors", "TowerModel", "TowerTraining", "TextEncoding",
            ]),
        tests(
            "RecommendationAPI",
            [
                "RecommendationAPI", "Interactions", "Recommending", "FuzzInputs",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTesting", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        tests(
            "Workloads",
            [
                "Workloads", "Console", "ContentModel", "FuzzInputs", "HTTPCalls", "Interactions", "RecommendationAPI", "Recommending",
                "Simulation", "TowerModel", "TowerTraining", "TrainingFiles",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        tests(
            "Serving",
            [
                "Serving", "Console", "EventStream", "FeatureStore", "Interactions", "ModelArtifacts", "RecommendationAPI", "Recommending",
                "VectorIndex",
                .product(name: "Logging", package: "swift-log"),
            ]),
        tests(
            "Learning",
            [
                "Learning", "Console", "TrainingFiles", "Evaluation", "Features", "FeatureStore", "Interactions", "MetaLearning", "RankSupport",
                "CandidateRanking", "Recommending", "Reports", "Tensors", "ContentModel", "TowerModel", "TowerTraining",
                .product(name: "Logging", package: "swift-log"),
            ]),
        tests("Reports", ["Reports", "Evaluation", "Interactions"]),
        tests("Console", ["Console", "Interactions", .product(name: "Logging", package: "swift-log")]),
        tests(
            "HTTPCalls",
            [
                "HTTPCalls",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl", condition: .when(traits: ["TLS"])),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        tests("Settings", ["Settings", "FuzzInputs", "Interactions", "TowerModel"]),
        tests("EndToEnd", ["TestSupport", "FuzzInputs", "Interactions"]),
    ],
    swiftLanguageModes: [.v6]
)

import Testing

@Suite("Dependencies point downward only")
struct DependencyTests {
    let rules: ImportRules

    init() throws {
        rules = ImportRules(manifest: Manifest(text: try Checkout.text("Package.swift")))
    }

    @Test("every folder of Sources is a target with a layer, and every target has its folder")
    func everyTargetHasALayer() throws {
        let folders = Set(try Checkout.folders(in: "Sources"))
        #expect(folders == Set(rules.manifest.targets.map(\.name)))
        for target in rules.manifest.targets where !target.isC {
            let layers = [
                ImportRules.pure.contains(target.name), ImportRules.ground.contains(target.name),
                ImportRules.adapters.contains(target.name), ImportRules.lines.contains(target.name),
                ImportRules.upper.contains(target.name), target.name == ImportRules.root,
            ]
            #expect(layers.filter { $0 }.count == 1, "\(target.name) belongs to exactly one layer")
        }
    }

    @Test("targets depend on lower layers only; adapters do not know each other, and lines know no line")
    func dependencyDirection() {
        #expect(rules.forbiddenDependencies() == [])
    }

    @Test("each C module belongs to one Swift target")
    func oneUserForEachCModule() {
        #expect(rules.sharedCModules() == [])
    }

    @Test("files import what their target declares, and pure targets no Foundation, Dispatch, logging or networking")
    func imports() throws {
        for path in Checkout.swiftSources() {
            let target = String(path.split(separator: "/")[1])
            let source = try Checkout.text(path)
            #expect(rules.forbiddenImports(of: source, in: target) == [], "\(path)")
        }
    }

    @Test("the rules find what they forbid")
    func plantedViolations() {
        let manifest = Manifest(
            text: """
                pure("Interactions", ["Tensors"]),
                pure("Tensors", ["FeatureStore", "CKernels", "Files"]),
                .target(name: "Files", dependencies: ["EventStream"]),
                .target(name: "CKernels", cSettings: kernels),
                .target(name: "FeatureStore", dependencies: ["CKernels", "EventStream", "Files", "FreshetCommand"]),
                .target(name: "Intake", dependencies: ["FeatureStore", "Files", "Tensors", "Intake"]),
                .target(name: "Workloads", dependencies: ["Intake", "EventStream", "Tensors", "FreshetCommand"]),
                .target(name: "Learning", dependencies: ["Intake", "FeatureStore", "Learning"]),
                .target(name: "EventStream", dependencies: [ .product(name: "Logging", package: "swift-log"), ]),
                """)
        let planted = ImportRules(manifest: manifest)
        #expect(manifest["Interactions"]?.targets == ["Tensors"])
        #expect(manifest["EventStream"]?.products == ["Logging"])
        #expect(
            Set(planted.forbiddenDependencies()) == [
                "Tensors -> FeatureStore", "Tensors -> Files", "Files -> EventStream", "FeatureStore -> EventStream",
                "FeatureStore -> FreshetCommand", "Intake -> Intake",
                "Workloads -> FreshetCommand",
                "Learning -> Learning",
            ])
        #expect(
            planted.sharedCModules() == ["CKernels: Tensors, FeatureStore"]
                || planted.sharedCModules() == ["CKernels: FeatureStore, Tensors"])
        #expect(planted.forbiddenImports(of: "import Foundation\nimport Glibc", in: "Interactions") == ["Foundation"])
        #expect(planted.forbiddenImports(of: "@preconcurrency import struct Dispatch.DispatchTime", in: "Tensors") == ["Dispatch"])
        #expect(planted.forbiddenImports(of: "  internal import Features", in: "FeatureStore") == ["Features"])
        #expect(planted.forbiddenImports(of: "import Foundation\nimport Logging", in: "EventStream") == [])
    }
}

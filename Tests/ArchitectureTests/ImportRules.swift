/// Which modules a target may import. Each rule returns the violations that it finds, so that a test can plant one.
struct ImportRules {
    /// Targets without I/O, clock, logging or Foundation.
    static let pure: Set<String> = [
        "Bytes", "Interactions", "Expressions", "ForeignFormats", "ForeignClients", "AvroRecords", "Features", "Tensors", "Gradients",
        "Evaluation", "ContentModel", "TowerModel", "TowerTraining", "MetaLearning", "CandidateRanking", "Recommending", "Simulation",
        "TextEncoding",
    ]

    /// What several adapters do alike with the world: any target but the pure ones may know it, and it knows nobody.
    static let ground: Set<String> = ["Files"]

    /// Targets that touch the world; none knows another.
    static let adapters: Set<String> = [
        "FeatureStore", "EventStream", "VectorIndex", "ModelArtifacts", "MessagePassing", "RecommendationAPI", "HTTPCalls",
        "Settings", "Console", "Reports",
    ]

    /// Targets that tie adapters together; they know adapters and pure targets, and none knows another of them.
    static let lines: Set<String> = ["Intake", "TrainingFiles"]

    /// Targets above the lines, which they may know: what learns of them, what answers by them, what runs them as a whole; none knows
    /// another of them.
    static let upper: Set<String> = ["Learning", "Serving", "Workloads"]

    /// The one target that may know all others.
    static let root = "FreshetCommand"

    /// What the toolchain brings. In a pure target the C library is there for `exp` and `log` only, and `Swift` is named where
    /// Unicode's decompositions are asked for.
    static let pureToolchain: Set<String> = ["Glibc", "Musl", "Darwin", "Swift"]
    static let toolchain: Set<String> = pureToolchain.union([
        "Dispatch", "Foundation", "FoundationEssentials", "FoundationNetworking", "Synchronization",
    ])

    /// Modules of other packages in whose types a product's own interface speaks.
    static let modulesOfProducts: [String: Set<String>] = [
        "HummingbirdCore": ["HTTPTypes", "NIOCore", "ServiceLifecycle"], "NIOPosix": ["NIOCore"],
        "ServiceLifecycle": ["UnixSignals"],
    ]

    var manifest: Manifest

    /// The modules that a Swift file imports.
    static func imports(of source: String) -> [String] {
        source.split(separator: "\n", omittingEmptySubsequences: true).compactMap { line in
            guard line.contains("import ") else { return nil }
            let plain = line.drop { $0 == " " || $0 == "\t" }
            let pattern = #/
                ^(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?
                import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)
                /#
            return plain.firstMatch(of: pattern).map { String($0.1) }
        }
    }

    /// Imports of a file that its target's dependencies or its layer do not allow.
    func forbiddenImports(of source: String, in target: String) -> [String] {
        guard let declared = manifest[target] else { return ["\(target) is no target of Package.swift"] }
        var allowed = Self.pure.contains(target) ? Self.pureToolchain : Self.toolchain
        allowed.formUnion(declared.targets)
        for product in declared.products {
            allowed.insert(product)
            allowed.formUnion(Self.modulesOfProducts[product] ?? [])
        }
        return Self.imports(of: source).filter { !allowed.contains($0) }
    }

    /// Dependencies in the manifest that point sideways or upward.
    func forbiddenDependencies() -> [String] {
        var found: [String] = []
        for target in manifest.targets {
            for dependency in target.targets {
                let stands = !Self.pure.union(Self.ground).contains(target.name) && Self.ground.contains(dependency)
                let isLower = stands || Self.pure.contains(dependency) || manifest[dependency]?.isC == true
                let ties = Self.lines.contains(target.name) && Self.adapters.contains(dependency)
                let isAbove = Self.upper.contains(target.name) && Self.adapters.union(Self.lines).contains(dependency)
                let allowed = target.name == Self.root ? dependency != Self.root : isLower || ties || isAbove
                if !allowed { found.append("\(target.name) -> \(dependency)") }
            }
            if Self.pure.contains(target.name), !target.products.isEmpty {
                found.append("\(target.name) -> \(target.products.joined(separator: ", "))")
            }
        }
        return found
    }

    /// C modules that not exactly one Swift target depends on.
    func sharedCModules() -> [String] {
        manifest.targets.filter(\.isC).compactMap { module in
            let users = manifest.targets.filter { $0.targets.contains(module.name) }.map(\.name)
            return users.count == 1 ? nil : "\(module.name): \(users.joined(separator: ", "))"
        }
    }
}

import Testing

@Suite("The pages of the house name what is there")
struct PageTests {
    static let files = Set(
        ["Sources", "Tests", "docs", "ops", "migrations", "schemas", ".ci"].flatMap { Checkout.files(below: $0) } + ["Package.swift"])
    static let swift = Checkout.swiftSources() + Checkout.files(below: "Tests") { $0.hasSuffix(".swift") }

    private static func targets() throws -> Set<String> {
        Set(try Checkout.folders(in: "Sources") + Checkout.folders(in: "Tests"))
    }

    @Test("every file and folder that they name exists", arguments: ["ARCHITECTURE.md", "CONTRIBUTING.md"])
    func paths(page: String) throws {
        let named = PageRules.paths(in: try Checkout.text(page), targets: try Self.targets())
        #expect(named.count > 40)
        #expect(PageRules.missing(named, files: Self.files) == [])
    }

    @Test("so does every file of ours that the other pages name")
    func otherPages() throws {
        for page in Self.files.filter({ $0.hasPrefix("docs/") && $0.hasSuffix(".md") }) + ["README.md", "CHANGELOG.md"] {
            let named = PageRules.paths(in: try Checkout.text(page), targets: try Self.targets())
            #expect(PageRules.missing(named, files: Self.files) == [], "\(page)")
        }
    }

    @Test("every type that they name is declared", arguments: ["ARCHITECTURE.md", "CONTRIBUTING.md"])
    func types(page: String) throws {
        let sources = try Self.swift.map(Checkout.text)
        #expect(PageRules.unknownTypes(in: try Checkout.text(page), sources: sources, targets: try Self.targets()) == [])
    }

    @Test("the map has every target of Package.swift, each in its layer, and no other")
    func map() throws {
        let targets = Manifest(text: try Checkout.text("Package.swift")).targets.map(\.name)
        #expect(PageRules.mapRows(in: try Checkout.text("ARCHITECTURE.md")).sorted() == targets.sorted())
    }

    @Test("every command is a subcommand of one")
    func commands() throws {
        let sources = try Checkout.files(below: "Sources/FreshetCommand") { $0.hasSuffix(".swift") }.map(Checkout.text)
        #expect(PageRules.unlistedCommands(in: sources) == [])
    }

    @Test("docs/evaluation.md describes every protocol of freshet evaluate")
    func protocols() throws {
        let names = PageRules.protocols(in: try Checkout.files(below: "Sources/FreshetCommand/Commands").map(Checkout.text))
        #expect(names.count >= 7)
        let page = try Checkout.text("docs/evaluation.md")
        #expect(names.filter { !page.contains("\n**`\($0)`**") } == [])
    }

    @Test("the version stands alike in the program, the changelog, the README and the examples")
    func version() throws {
        let program = try Checkout.text("Sources/FreshetCommand/Freshet.swift")
        let version = try #require(program.firstMatch(of: /version: "(\d+\.\d+)(\.\d+)"/)), whole = "\(version.1)\(version.2)"
        let newest = try Checkout.text("CHANGELOG.md").firstMatch(of: /\n## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d\n/)
        #expect(newest.map { String($0.1) } == whole, "the newest section of CHANGELOG.md that has a date")
        let readme = try Checkout.text("README.md")
        #expect(readme.contains("| Freshet \(version.1) |") && readme.contains("\nVersion \(whole) "), "README.md")
        for path in Checkout.files(below: "ops/schedule/kubernetes") {
            for image in try Checkout.text(path).matches(of: /image: freshet:(\S+)/) { #expect(String(image.1) == whole, "\(path)") }
        }
    }

    @Test("the rules find what they forbid")
    func planted() {
        let page = "See `Intake/A.swift`, `ops/test --filter X`, `/v1/x`, `application/json`, `B.swift`, `docs/` and `Tests/C/`."
            + "\n```\n`Sources/x`\n```"
        let paths = PageRules.paths(in: page, targets: ["Intake"])
        #expect(paths == ["Intake/A.swift", "ops/test", "B.swift", "docs/", "Tests/C/"])
        #expect(PageRules.missing(paths, files: ["Sources/Intake/A.swift", "ops/test", "docs/a.md"]) == ["B.swift", "Tests/C/"])
        let types = "`RecordIntake`, `ModelBundle.snapshot(over:)`, `Foundation`, `NoSuchType`, `FeatureStore` and `BundleTraining.x`"
        let sources = ["struct RecordIntake {}\npublic struct ModelBundle: A {", "enum BundleTraining"]
        #expect(PageRules.unknownTypes(in: types, sources: sources, targets: ["FeatureStore"]) == ["NoSuchType"])
        let map = "| `No` | x |\n## The map\n| **layer** | |\n| `A` | uses `X` |\n| `B` `C` | y |\n## The walks\n| `D` | z |"
        #expect(PageRules.mapRows(in: map) == ["A", "B", "C"])
        let root = "@main\nstruct Root: AsyncParsableCommand {\n subcommands: [One.self,\n Two.self])"
        let others = "struct One: ParsableCommand {}\nextension Root {\n struct Lost: AsyncParsableCommand {}\n}\n"
            + "struct Two: ParsableArguments {}"
        #expect(PageRules.unlistedCommands(in: [root, others]) == ["Lost"])
        let evaluate = "static var protocols: [any ParsableCommand.Type] {\n [Tail.self, FewShot.self]\n}"
        let fewShot = "struct FewShot: A {\n commandName: \"few-shot\"\n@OptionGroup"
        #expect(PageRules.protocols(in: [evaluate, fewShot, "struct Tail: A {\n@Option"]) == ["tail", "few-shot"])
    }
}

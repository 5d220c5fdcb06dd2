import Foundation
import Testing

@Suite("The repository is whole")
struct RepositoryTests {
    @Test("migrations are numbered from 1 without gaps")
    func migrations() {
        let names = Checkout.files(below: "migrations").map { String($0.dropFirst("migrations/".count)) }
        #expect(!names.isEmpty)
        #expect(RepositoryRules.misnumbered(names) == [])
    }

    @Test("schemas are JSON objects with an id")
    func schemas() throws {
        let paths = Checkout.files(below: "schemas") { $0.hasSuffix(".json") }
        #expect(!paths.isEmpty)
        for path in paths { #expect(RepositoryRules.isSchema(try Checkout.text(path)), "\(path)") }
    }

    @Test("scripts are executable and bash can read them")
    func scripts() throws {
        let paths = Checkout.files(below: "ops") + Checkout.files(below: ".ci")
        let scripts = paths.filter { path in
            guard !path.hasSuffix(".yaml"), let text = try? Checkout.text(path) else { return false }
            return text.hasPrefix("#!") || path.hasSuffix(".sh")
        }
        #expect(scripts.contains(".ci/run") && scripts.contains("ops/test") && scripts.contains("ops/demo"))
        for path in scripts {
            let file = Checkout.root.appending(path: path).path
            if try Checkout.text(path).hasPrefix("#!") {
                #expect(FileManager.default.isExecutableFile(atPath: file), "\(path) is not executable")
                #expect(try Checkout.text(path).contains("set -euo pipefail"), "\(path) goes on after an error")
            }
            #expect(try Self.bashReads(file), "bash -n \(path)")
        }
    }

    @Test("bash -n notices a broken script")
    func plantedScript() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "freshet-broken-\(UUID().uuidString)")
        try Data("if true; then echo".utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(try !Self.bashReads(file.path))
    }

    @Test("docs/configuration.md has every key of the program, and no other")
    func configurationKeys() throws {
        let inCode = RepositoryRules.configurationKeys(inCode: try Checkout.text("Sources/Settings/KeyName.swift")).union(["clock"])
        let inDocs = RepositoryRules.configurationKeys(inDocs: try Checkout.text("docs/configuration.md"))
        #expect(inCode.count > 20)
        #expect(inCode.subtracting(inDocs) == [], "not documented")
        // The trainer's own keys are listed in its target; the page shows them under train.
        #expect(inDocs.subtracting(inCode).filter { !$0.hasPrefix("train.") } == [], "documented, but unknown to the program")
    }

    @Test("links between the pages lead somewhere")
    func links() throws {
        let pages = Checkout.files(below: "docs") { $0.hasSuffix(".md") }
            + ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]
        for page in pages {
            let folder = Checkout.root.appending(path: page).deletingLastPathComponent()
            for link in RepositoryRules.relativeLinks(in: try Checkout.text(page)) {
                #expect(FileManager.default.fileExists(atPath: folder.appending(path: link).path), "\(page) links to \(link)")
            }
        }
    }

    @Test("ARCHITECTURE.md names tests that exist")
    func invariantsHaveTests() throws {
        let named = RepositoryRules.testFiles(in: try Checkout.text("ARCHITECTURE.md"))
        #expect(named.count >= 8)
        let existing = Set(Checkout.files(below: "Tests"))
        #expect(named.filter { !existing.contains("Tests/" + $0) } == [])
    }

    @Test("the rules find what they forbid")
    func plantedViolations() {
        #expect(RepositoryRules.misnumbered(["0001_a.sql", "0003_b.sql"]) == ["0003_b.sql should be number 2"])
        #expect(RepositoryRules.misnumbered(["0001_a.sql", "0001_b.sql"]).count == 1)
        #expect(RepositoryRules.misnumbered(["0001_a.sql", "two.sql"]).count == 1)
        #expect(RepositoryRules.misnumbered(["0001_a.sql", "0002_b.sql"]) == [])
        #expect(!RepositoryRules.isSchema("{\"$id\": }"))
        #expect(!RepositoryRules.isSchema("{\"type\": \"object\"}"))
        #expect(RepositoryRules.isSchema("{\"$id\": \"x\", \"type\": \"object\"}"))
        #expect(RepositoryRules.configurationKeys(inCode: "enum A {\n    case aB = \"a.b\"\n}") == ["a.b"])
        #expect(RepositoryRules.configurationKeys(inDocs: "| `a.b` | x |\n`c.d` in a sentence") == ["a.b"])
        #expect(RepositoryRules.relativeLinks(in: "[a](docs/b.md#c) ![d](e.svg) [f](https://example.org)") == ["docs/b.md", "e.svg"])
        #expect(RepositoryRules.testFiles(in: "held by `FeaturesTests/OrderTests.swift`") == ["FeaturesTests/OrderTests.swift"])
    }

    /// Whether bash can parse a script.
    private static func bashReads(_ file: String) throws -> Bool {
        let bash = Process()
        bash.executableURL = URL(filePath: "/usr/bin/env")
        bash.arguments = ["bash", "-n", file]
        bash.standardError = FileHandle.nullDevice
        try bash.run()
        bash.waitUntilExit()
        return bash.terminationStatus == 0
    }
}

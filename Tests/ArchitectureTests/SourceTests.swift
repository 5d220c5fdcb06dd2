import Testing

@Suite("Source files keep the rules")
struct SourceTests {
    static let sources = Checkout.swiftSources()
    static let tests = Checkout.files(below: "Tests") { $0.hasSuffix(".swift") }

    @Test("there is something to look at")
    func sourcesWereFound() {
        #expect(Self.sources.count > 50)
        #expect(Self.tests.count > 20)
    }

    @Test("no file is longer than 400 lines", arguments: [sources, tests])
    func length(paths: [String]) throws {
        for path in paths {
            let count = try Checkout.text(path).split(separator: "\n", omittingEmptySubsequences: false).count - 1
            #expect(count <= SourceRules.maxLines, "\(path) has \(count) lines")
        }
    }

    @Test("no line has more than 140 characters", arguments: [sources, tests])
    func width(paths: [String]) throws {
        for path in paths { Self.expectNone(SourceRules.overlong(in: try Checkout.text(path)), path) }
    }

    @Test("bad input never traps: no forced try, forced cast or fatal error in Sources")
    func traps() throws {
        for path in Self.sources { Self.expectNone(SourceRules.traps(in: try Checkout.text(path)), path) }
    }

    @Test("names say what a type is for")
    func names() throws {
        for path in Self.sources + Self.tests where !path.hasPrefix("Tests/ArchitectureTests/") {
            Self.expectNone(SourceRules.emptyNames(in: try Checkout.text(path)), path)
        }
    }

    @Test("pure targets read no clock, take no randomness of their own and do no I/O")
    func purity() throws {
        for path in Self.sources where ImportRules.pure.contains(String(path.split(separator: "/")[1])) {
            Self.expectNone(SourceRules.impurities(in: try Checkout.text(path)), path)
        }
    }

    @Test("unchecked sendability has a written reason")
    func sendability() throws {
        for path in Self.sources { Self.expectNone(SourceRules.unexplainedSendability(in: try Checkout.text(path)), path) }
    }

    @Test("nothing is left for later", arguments: ["Sources", "Tests", "ops", "docs", "migrations", "schemas"])
    func leftovers(folder: String) throws {
        for path in Checkout.files(below: folder) {
            guard let text = try? Checkout.text(path) else { continue }
            Self.expectNone(SourceRules.leftovers(in: text), path)
        }
    }

    private static func expectNone(_ violations: [String], _ path: String) {
        #expect(violations.isEmpty, "\(path)\n\(violations.joined(separator: "\n"))")
    }

    @Test("the rules find what they forbid, and leave comments and strings alone")
    func plantedViolations() {
        #expect(SourceRules.traps(in: "let a = try! f()\nlet b = c as! D\nfatalError(\"x\")").count == 3)
        #expect(SourceRules.traps(in: "// never try! here\nlet text = \"as! fatalError(\" // as!\nlet c = try? f()") == [])
        #expect(SourceRules.emptyNames(in: "public final class ModelManager {\nenum StringUtils {}").count == 2)
        #expect(SourceRules.emptyNames(in: "struct HistoryEntry {}") == [])
        for line in [
            "let t = ContinuousClock.now", "print(\"x\")", "let r = Float.random(in: 0..<1)", "list.shuffle()", "let f = fopen(p, m)",
        ] {
            #expect(SourceRules.impurities(in: line).count == 1, "\(line)")
        }
        #expect(
            SourceRules.impurities(in: "let r = Float.random(in: 0..<1, using: &generator)\nlet e = exp(x)\ngenerator.shuffle(&order)")
                == [])
        #expect(SourceRules.unexplainedSendability(in: "final class Box: @unchecked Sendable {").count == 1)
        #expect(
            SourceRules.unexplainedSendability(
                in: "/// Sendable, since the lock guards the handle.\nfinal class Box: @unchecked Sendable {") == [])
        #expect(SourceRules.leftovers(in: "// TO" + "DO: later").count == 1)
        let lines = String(repeating: "é", count: 140) + "\n" + String(repeating: "x", count: 141)
        #expect(SourceRules.overlong(in: lines) == ["2: 141 characters"])
    }
}

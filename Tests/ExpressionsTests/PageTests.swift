import Expressions
import Foundation
import Testing

@Suite("The page about rules says what is so")
struct PageTests {
    /// Rows of two cells in code or plain text under a heading of `docs/rules.md`.
    private static func rows(under heading: String) throws -> [(String, String)] {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../docs/rules.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let sections = text.components(separatedBy: "\n## ")
        let section = try #require(sections.first { $0.hasPrefix(heading) })
        return section.split(separator: "\n").compactMap { line in
            guard let match = line.wholeMatch(of: /\| `(.+)` \| (.+) \|/) else { return nil }
            return (String(match.1), match.2.trimmingCharacters(in: ["`"]))
        }
    }

    @Test("its examples have the values that it says")
    func examples() throws {
        let rows = try Self.rows(under: "What there is\n")
        #expect(rows.count > 15)
        for (text, value) in rows { #expect(try said(text) == value, "\(text)") }
    }

    @Test("its errors are those that are said")
    func errors() throws {
        let rows = try Self.rows(under: "Errors")
        #expect(rows.count == 4)
        for (text, sentence) in rows { #expect(refusal(text) == sentence) }
    }

    @Test("its bounds are those in force")
    func bounds() throws {
        let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../docs/rules.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        for bound in [
            "| the text | 4,096 bytes |", "calls | 64 levels", "calls | 2,000 |", "one evaluation | 100,000:", "written out | 1,000 |",
        ] { #expect(text.contains(bound), "\(bound)") }
        let inForce = [
            ExpressionLimits.maxTextBytes, ExpressionLimits.maxDepthLevels, ExpressionLimits.maxNodes,
            ExpressionLimits.maxStepsPerEvaluation,
            ExpressionLimits.maxPatternInstructions,
        ]
        #expect(inForce == [4_096, 64, 2_000, 100_000, 1_000])
    }
}

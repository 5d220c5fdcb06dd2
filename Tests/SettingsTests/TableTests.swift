import Foundation
import Settings
import Testing

@Suite("The table of the keys")
struct TableTests {
    @Test("docs/configuration.md has it line by line")
    func documentation() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/configuration.md"), encoding: .utf8)
        let lines = page.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let start = try #require(lines.firstIndex(of: ConfigurationTable.markdown[0]))
        let table = lines[start...].prefix { $0.hasPrefix("|") }
        #expect(table.count == ConfigurationTable.markdown.count)
        for (own, program) in zip(table, ConfigurationTable.markdown) where own != program {
            Issue.record("the page has\n\(own)\nand freshet configuration --markdown prints\n\(program)")
        }
    }

    @Test("each key is there once, and no line breaks the table")
    func rows() {
        #expect(Set(ConfigurationTable.rows.map(\.name)).count == ConfigurationTable.rows.count)
        for row in ConfigurationTable.rows {
            #expect(!(row.takes + row.summary + row.fallback).contains { $0 == "|" || $0.isNewline }, "\(row.name)")
        }
    }
}

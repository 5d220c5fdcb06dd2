import ArgumentParser
import Console
import Settings

/// `freshet configuration`
struct ConfigurationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "configuration",
        abstract: "Lists every setting, its default and its meaning; docs/configuration.md is this list.")

    @OptionGroup var options: GlobalOptions
    @Flag(help: "Print as a Markdown table.") var markdown = false

    func run() throws {
        guard !markdown else {
            for line in ConfigurationTable.markdown { StandardOutput.line(line) }
            return
        }
        let rows = ConfigurationTable.rows
        let width = rows.map(\.name.count).max() ?? 0
        for row in rows {
            let padding = String(repeating: " ", count: width - row.name.count)
            let fallback = row.fallback.isEmpty ? "" : "; default \(row.fallback)"
            StandardOutput.line("\(row.name)\(padding)  \(row.summary) [\(row.takes)\(fallback)]")
        }
    }
}

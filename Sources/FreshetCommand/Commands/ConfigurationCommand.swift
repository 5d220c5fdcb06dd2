import ArgumentParser
import TwoTower

/// `freshet configuration`
struct ConfigurationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "configuration",
        abstract: "Lists every setting, its default and its meaning; docs/configuration.md is this list.")

    @OptionGroup var options: GlobalOptions
    @Flag(help: "Print as a Markdown table.") var markdown = false

    func run() throws {
        let rows = Self.rows
        if markdown {
            StandardOutput.line("| key | takes | default | meaning |\n|---|---|---|---|")
            for row in rows {
                StandardOutput.line("| `\(row.name)` | \(row.takes) | \(row.fallback.isEmpty ? "" : "`\(row.fallback)`") | \(row.summary) |")
            }
        } else {
            let width = rows.map(\.name.count).max() ?? 0
            for row in rows {
                let padding = String(repeating: " ", count: width - row.name.count)
                StandardOutput.line("\(row.name)\(padding)  \(row.summary) [\(row.takes)\(row.fallback.isEmpty ? "" : "; default \(row.fallback)")]")
            }
        }
    }

    private struct Row {
        let name: String
        let takes: String
        let fallback: String
        let summary: String
    }

    private static var rows: [Row] {
        let own = ConfigurationKey.all.map { key in
            Row(name: key.name, takes: takes(key.kind), fallback: key.fallback, summary: key.summary)
        }
        let trainer = TowerConfiguration.keys.map { key in
            Row(name: "train." + key.name, takes: key.range, fallback: TowerConfiguration().value(of: key.name) ?? "", summary: key.summary)
        }
        return own + trainer
    }

    private static func takes(_ kind: ConfigurationKey.Kind) -> String {
        switch kind {
        case .text, .name: "text"
        case .number(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .time: "time"
        case .secret: "text, never printed"
        case .integer(let range): "\(range.lowerBound) to \(range.upperBound)"
        case .boolean: "true or false"
        case .choice(let choices): choices.joined(separator: ", ")
        case .list(let allowed): allowed.map { "list of " + $0.joined(separator: ", ") } ?? "list"
        case .map: "mapping"
        }
    }
}

import ArgumentParser
import Console
import FeatureStore
import Interactions

/// `freshet migrate`
struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Brings the database to the newest schema.",
        discussion: "Safe to run twice, and at once from two places. A shipped migration that was edited is refused by name.")

    @OptionGroup var options: GlobalOptions
    @Flag(help: "Print the result as JSON.") var json = false
    @Flag(help: "Print SQL that makes a role with the least rights for each part of the program, and do nothing.") var printRoles = false

    func run() throws {
        guard !printRoles else {
            for line in DatabaseRole.script.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
                StandardOutput.line(String(line))
            }
            return
        }
        let configuration = try options.configuration()
        let applied = try Migrator(url: try configuration.databaseURL()).migrate()
        if json {
            ResultLine(["applied": .json("[" + applied.map { "\"\($0)\"" }.joined(separator: ",") + "]")]).print(asJSON: true)
        } else if applied.isEmpty {
            StandardOutput.line("the schema is up to date")
        } else {
            for name in applied { StandardOutput.line("applied \(name)") }
        }
    }
}

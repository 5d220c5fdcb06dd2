import ArgumentParser
import Console
import Learning
import Reports

/// `freshet evaluate`: a subcommand a protocol.
struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Offline metrics of a model beside simple rivals, with popular, rare and new items apart.",
        discussion: """
            The whole catalogue is ranked. With holdout and leave-one-out the model may have learned from the part that is held
            out here: the result says from which time on it has not. With replay the events after --from are walked in the order of
            time: each is predicted, by the model as it serves and by rivals, and then learned. docs/evaluation.md says more. Without a
            subcommand it is holdout, and the flags of before work: --protocol says which of these.
            """,
        subcommands: protocols + [EvaluateByFlags.self],
        defaultSubcommand: EvaluateByFlags.self)

    /// What every protocol takes.
    struct Common: ParsableArguments {
        @OptionGroup var options: GlobalOptions
        @OptionGroup var asOf: AsOfOption
        @Flag(help: "Print the result as JSON.") var json = false

        func runs(report: String? = nil) throws -> EvaluationRuns {
            EvaluationRuns(options: options, until: try asOf.time(), json: json, report: report)
        }
    }

    /// Where the page goes.
    struct Page: ParsableArguments {
        @Option(help: ArgumentHelp("Write the result as a page of HTML, too.", valueName: "file")) var report: String?
    }

    /// Which model is asked.
    struct Asked: ParsableArguments {
        @Option(help: "promoted, latest, or a version.") var model = ModelChoice.promoted
    }

    /// `freshet evaluate holdout`
    struct Holdout: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "The newest interactions of all, by time.")
        @OptionGroup var common: Common
        @OptionGroup var asked: Asked
        @OptionGroup var page: Page
        @Option(help: "Share of the newest interactions that is held out, in percent.") var percent = 10.0

        func validate() throws {
            guard percent > 0, percent < 100 else { throw ValidationError("--percent takes a number between 0 and 100, not \(percent)") }
        }

        func run() throws { try common.runs(report: page.report).split(asked.model, share: percent / 100) }
    }

    /// `freshet evaluate leave-one-out`
    struct LeaveOneOut: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "leave-one-out", abstract: "Each user's last interaction.")
        @OptionGroup var common: Common
        @OptionGroup var asked: Asked
        @OptionGroup var page: Page

        func run() throws { try common.runs(report: page.report).split(asked.model, share: nil) }
    }
}

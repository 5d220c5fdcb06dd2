import ArgumentParser
import Console
import EventStream
import Foundation

/// The one binary: every role and every tool is a subcommand.
@main
struct Freshet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "freshet",
        abstract: "Streaming recommendations: fresh within a second, fair to the new and the rare.",
        discussion: """
            Settings come from freshet.yaml (or --config, which may be repeated), then FRESHET_SECTION_KEY in the environment, then
            --set key=value; the later wins.
            Exit status: 0 done, 1 the work failed, 3 the gate refused the new model (train), 64 wrong usage.
            """,
        version: "0.2.0",
        subcommands: [
            DemoCommand.self, MigrateCommand.self, BrokerCommand.self, ProduceCommand.self, IngestCommand.self,
            BackfillCommand.self, ImportCommand.self, TrainCommand.self, SearchCommand.self, AdaptCommand.self, RecommendCommand.self,
            EvaluateCommand.self, ServeCommand.self,
            ModelsCommand.self, DeadLettersCommand.self, SimulateCommand.self, BenchCommand.self, DoctorCommand.self,
            ConfigurationCommand.self,
        ])

    /// Parses, runs, and tells how it ended: in the form that `log.format` asks for, and as a sentence also where the system's
    /// libraries gave none.
    static func main() async {
        StandardDescriptors.secure()
        let arguments = Array(CommandLine.arguments.dropFirst())
        HiddenSecrets.add(
            Configuration.redaction(environment: ProcessInfo.processInfo.environment, flags: FinalError.named(in: arguments).flags))
        ProcessTitle.hideSecrets(in: CommandLine.arguments)
        do {
            var command = try await asyncParseAsRoot(arguments)
            try RepeatedOption.refuse(in: arguments, of: type(of: command))
            if var asyncCommand = command as? any AsyncParsableCommand {
                try await asyncCommand.run()
            } else {
                try command.run()
            }
        } catch {
            FinalError(error, arguments: arguments).exit()
        }
    }
}

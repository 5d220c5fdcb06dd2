import ArgumentParser

/// The one binary: every role and every tool is a subcommand.
@main
struct Freshet: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "freshet",
        abstract: "Streaming recommendations: fresh within a second, fair to the new and the rare.",
        discussion: """
            Settings come from freshet.yaml (or --config), then FRESHET_SECTION_KEY in the environment, then --set key=value.
            Exit status: 0 done, 1 the work failed, 64 wrong usage.
            """,
        version: "0.1.0",
        subcommands: [
            DemoCommand.self, MigrateCommand.self, BrokerCommand.self, ProduceCommand.self, IngestCommand.self,
            BackfillCommand.self, TrainCommand.self, SearchCommand.self, AdaptCommand.self, RecommendCommand.self, EvaluateCommand.self,
            ServeCommand.self,
            ModelsCommand.self, DeadLettersCommand.self, SimulateCommand.self, BenchCommand.self, DoctorCommand.self,
            ConfigurationCommand.self,
        ])
}

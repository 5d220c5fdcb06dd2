import Evaluation
import Foundation
import Learning
import Logging
import Settings
import TrainingFiles

/// `train.preset: auto`: settings that nobody made are chosen by what the data look like.
extension Configuration {
    /// Whether a training chooses.
    var isAutomatic: Bool {
        guard case .scalar(let preset)? = trainerSettings["preset"]?.value else { return true }
        return preset == "auto"
    }

    /// What somebody set of what is learned and ranked, as text by key.
    var ownSettings: [String: String] { recipe.filter { $0.key != "train.preset" || $0.value != "auto" } }

    /// The same with what was chosen; `auto` stands as the place that it came from.
    func choosing(_ values: [(key: String, value: String)]) throws(ConfigurationError) -> Configuration {
        try setting(values, source: "train.preset: auto")
    }

    /// The same with what was chosen before, for a version or a search: what somebody set since wins.
    func keeping(_ choice: ChoiceRecord?) throws(ConfigurationError) -> Configuration {
        guard isAutomatic, let choice else { return self }
        let own = ownSettings
        return try choosing(choice.values.filter { own[$0.key] == nil })
    }

    /// A log with the settings that suit it, read again where low ratings are to be left out.
    ///
    /// - Parameter read: reads the log by settings, and what its store's ratings look like.
    func chosen<Log>(
        logger: Logger, _ read: (Configuration) throws -> (kept: Log, log: TrainingLog, ratings: RatingLook?)
    ) throws -> (configuration: Configuration, kept: Log, choice: ChoiceRecord?) {
        let first = try read(self)
        guard isAutomatic else { return (self, first.kept, nil) }
        let own = ownSettings
        func choose(_ log: TrainingLog, _ likes: AutoDecision?) throws -> (Configuration, ChoiceRecord) {
            let choice = ChoiceRecord(DataLook(log, ratings: first.ratings), own: own, likes: likes)
            choice.log(to: logger)
            return (try choosing(choice.values), choice)
        }
        guard let ratings = first.ratings, ratings.isScale,
            let likes = AutoChoice.likes(DataLook(timesOf: first.log), ratings: ratings, own: own)
        else {
            let (configuration, choice) = try choose(first.log, nil)
            return (configuration, first.kept, choice)
        }
        let liked = try read(try choosing([(likes.key, likes.value)]))
        let (configuration, choice) = try choose(liked.log, likes)
        return (configuration, liked.kept, choice)
    }
}

import FeatureStore
import Interactions
import TrainingFiles

extension Configuration {
    /// `train.positive_ratings_from` and `train.negative_ratings_below`.
    func ratingRules() throws(ConfigurationError) -> RatingRules {
        let positive = number(.trainPositiveRatingsFrom), negative = number(.trainNegativeRatingsBelow)
        guard positive == 0 || negative == 0 || negative <= positive else {
            throw ConfigurationError(
                "train.negative_ratings_below is \(negative), above train.positive_ratings_from, \(positive): "
                    + "a rating would be both; lower it, or set one of them to 0")
        }
        return RatingRules(positiveFrom: positive != 0 ? positive : negative, declinedBelow: negative)
    }

    /// What an export reads of each person and of what was shown.
    func exportSettings() throws(ConfigurationError) -> SnapshotExport.Settings {
        SnapshotExport.Settings(
            impressionsLimit: integer(.objectivesImpressionsLimit), maxInteractionsPerUser: integer(.trainMaxInteractionsPerUser),
            ratings: try ratingRules(), rates: try currencyRates(), currencyBase: currencyBase)
    }
}

extension SnapshotExport {
    /// An export as the settings ask for it.
    init(url: String, configuration: Configuration, seen: (snapshot: String, until: EventTime?)? = nil) throws(ConfigurationError) {
        self.init(url: url, settings: try configuration.exportSettings(), seen: seen)
    }
}

/// What ratings make of the events that carry them.
///
/// A rating is the number under `context.rating`. What is rated low is neither an example nor a part of histories; below the second bound it also
/// says that its user does not want the item, which the head for clicks learns from.
struct RatingRules {
    /// Rated below it an event is left out; 0 keeps all.
    let positiveFrom: Double
    /// Rated below it the item is declined; 0 for none.
    let declinedBelow: Double

    /// Whether ratings are read at all.
    var isNeeded: Bool { positiveFrom != 0 }
}

extension Configuration {
    /// `train.positive_ratings_from` and `train.negative_ratings_below`.
    func ratingRules() throws(ConfigurationError) -> RatingRules {
        let positive = number("train.positive_ratings_from"), negative = number("train.negative_ratings_below")
        guard positive == 0 || negative == 0 || negative <= positive else {
            throw ConfigurationError(
                "train.negative_ratings_below is \(negative), above train.positive_ratings_from, \(positive): a rating would be both; lower it, or set one of them to 0")
        }
        return RatingRules(positiveFrom: positive != 0 ? positive : negative, declinedBelow: negative)
    }
}

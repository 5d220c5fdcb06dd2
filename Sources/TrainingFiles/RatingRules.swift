/// What ratings make of the events that carry them.
///
/// A rating is the number under `context.rating`. What is rated low is neither an example nor a part of histories; below the second bound
/// it also says that its user does not want the item, which the head for clicks learns from.
package struct RatingRules {
    /// Rated below it an event is left out; 0 keeps all.
    package let positiveFrom: Double
    /// Rated below it the item is declined; 0 for none.
    package let declinedBelow: Double

    /// Makes rules; 0 leaves a bound out.
    package init(positiveFrom: Double = 0, declinedBelow: Double = 0) {
        self.positiveFrom = positiveFrom
        self.declinedBelow = declinedBelow
    }

    /// Whether ratings are read at all.
    package var isNeeded: Bool { positiveFrom != 0 }
}

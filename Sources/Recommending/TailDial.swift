/// What rare items are given in the final score: score − λ · ln(share of all events) + δ for items beyond the head.
///
/// Where scores are logarithms of probabilities and a hit beyond the head is worth e^δ times one within it, adding δ is what makes the
/// list of the greatest worth: it leaves the order within the head, and beyond it, as it is. λ goes on lifting the rarest of all.
public struct TailDial: Sendable, Equatable {
    /// λ, on ln of the item's share of all events.
    public var lambda: Float
    /// δ, for items with events beyond the fifth that has most of them: see ``RankingTables/headBorder``.
    public var lift: Float

    /// A dial; by default it changes nothing.
    public init(lambda: Float = 0, lift: Float = 0) {
        self.lambda = lambda
        self.lift = lift
    }

    /// The dial that undoes one.
    public static prefix func - (dial: TailDial) -> TailDial { TailDial(lambda: -dial.lambda, lift: -dial.lift) }

    /// The dial that has this one's effect where what it is added to is multiplied by a number above 0 afterwards.
    public func beside(interest: Float) -> TailDial {
        interest > 0 ? TailDial(lambda: lambda / interest, lift: lift / interest) : self
    }

    /// What it adds to the score of an item.
    public func bonus(popularity: Float, isBeyondHead: Bool) -> Float { (isBeyondHead ? lift : 0) - lambda * popularity }
}

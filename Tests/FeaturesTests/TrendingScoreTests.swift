import Features
import Interactions
import Testing

@Suite struct TrendingScoreTests {
    @Test func aPurchaseCountsForFiveClicksAndWhatShowsNoWishForNothing() {
        #expect(TrendingScore.weight(of: .click) == 1 && TrendingScore.weight(of: .purchase) == 5)
        for type in [InteractionType.impression, .addToCart] { #expect(TrendingScore.weight(of: type) == nil) }
        #expect(TrendingScore.weight(of: nil) == nil)
    }

    @Test func theScoreOfCountsIsTheSumOfWhatEachEventWeighs() {
        let rules = FeatureRules(decayHalfLifeMilliseconds: 1_000), now = EventTime(milliseconds: start)
        var clicks = DecayedCount(), purchases = DecayedCount()
        for age in [0, 1_000, 2_000] as [Int64] { clicks.add(time: EventTime(milliseconds: start - age), rules: rules) }
        purchases.add(time: EventTime(milliseconds: start - 1_000), rules: rules)
        func score(_ weight: Double = TrendingScore.purchaseWeight) -> Double {
            TrendingScore.score(
                clicks: clicks.scaledValue(at: now, rules: rules), purchases: purchases.scaledValue(at: now, rules: rules),
                purchaseWeight: weight
            ).double
        }
        #expect(abs(score() - (1.75 + 2.5)) < 1e-5)
        #expect(abs(score(2) - (1.75 + 1)) < 1e-5)
    }
}

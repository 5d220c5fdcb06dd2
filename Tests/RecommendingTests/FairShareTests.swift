import Recommending
import Testing

struct FairShareTests {
    /// Ten lists of ten known items with scores 10 … 1 and ten new ones with 5 … −4, of which the users take two in ten.
    private func share(hitsOfNew: Bool, hitsOfOthers: Bool = false, hitWorth: Double = 1) -> FairShare {
        var share = FairShare(length: 10)
        for _ in 0..<10 {
            share.add(
                others: (0..<10).map { (Float(10 - $0), hitsOfOthers) }, new: (0..<10).map { (Float(5 - $0), hitsOfNew) }, wanted: 0.2,
                hitWorth: hitWorth)
        }
        return share
    }

    /// New items in the first ten under a constant.
    private func newPlaces(_ constant: Float) -> Int {
        let all = (0..<10).map { (Float(10 - $0), false) } + (0..<10).map { (Float(5 - $0) + constant, true) }
        return all.sorted { $0.0 > $1.0 }.prefix(10).count { $0.1 }
    }

    @Test func newItemsFillTheirShare() {
        // The entry that is next stands at the border, so a touch below it two are in.
        let constant = share(hitsOfNew: true).constant(cost: 0.02)
        #expect(newPlaces(constant - 0.01) == 2)
        #expect(newPlaces(constant + 0.01) == 3)
        #expect(share(hitsOfNew: false).constant(cost: 1) == constant, "nothing is lost where nothing was hit")
    }

    @Test func aShareThatCostsTooManyHitsIsSmaller() {
        let costly = share(hitsOfNew: false, hitsOfOthers: true)
        #expect(newPlaces(costly.constant(cost: 0) - 0.01) == 0)
        #expect(newPlaces(costly.constant(cost: 0.1) - 0.01) == 1)
        #expect(newPlaces(costly.constant(cost: 1) - 0.01) == 2)
        // New items that hit as well cost nothing; those that hit half as well cost a tenth of the hits for two of ten places.
        #expect(newPlaces(share(hitsOfNew: true, hitsOfOthers: true).constant(cost: 0) - 0.01) == 2)
        #expect(newPlaces(share(hitsOfNew: true, hitsOfOthers: true, hitWorth: 0.5).constant(cost: 0.06) - 0.01) == 1)
    }

    @Test func withoutListsNothingIsLifted() {
        #expect(FairShare(length: 20).constant(cost: 0.02) == 0)
        var empty = FairShare(length: 20)
        empty.add(others: [], new: [(1, true)], wanted: 0.5, hitWorth: 1)
        #expect(empty.constant(cost: 0.02) == 0)
    }
}

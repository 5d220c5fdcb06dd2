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
        return all.sorted { $0.0 != $1.0 ? $0.0 > $1.0 : !$0.1 && $1.1 }.prefix(10).count { $0.1 }
    }

    @Test func newItemsFillTheirShare() {
        let constant = share(hitsOfNew: true).constant(cost: 0.02)
        #expect(newPlaces(constant) == 2)
        #expect(newPlaces(constant + 0.01) == 3)
        #expect(share(hitsOfNew: false).constant(cost: 1) == constant, "nothing is lost where nothing was hit")
        // Whatever comes first is a hit, so the lists gain as much with new items as without.
        #expect(newPlaces(share(hitsOfNew: true, hitsOfOthers: true).constant(cost: 0)) == 2)
    }

    @Test func aShareThatCostsTooMuchIsSmaller() {
        // With all known items hits and no new one, two of ten places are worth a few percent at the end of a list, none of which may go.
        let costly = share(hitsOfNew: false, hitsOfOthers: true)
        #expect(newPlaces(costly.constant(cost: 0)) == 0)
        #expect(newPlaces(costly.constant(cost: 0.08)) == 1)
        #expect(newPlaces(costly.constant(cost: 1)) == 2)
    }

    @Test func aNewItemAtTheTopCostsMoreThanOneAtTheEnd() {
        // Five lists with a new item far ahead of the rest, which nobody takes, and five with one that comes in at the end.
        var share = FairShare(length: 10)
        for list in 0..<10 {
            share.add(others: (0..<10).map { (Float(10 - $0), $0 == 0) }, new: [(list < 5 ? 100 : 5, false)], wanted: 0.1, hitWorth: 1)
        }
        // No hit leaves a list; but the first five move to the second place, which is worth 0.63 of the first.
        #expect(share.constant(cost: 0.15) < -90)
        #expect(share.constant(cost: 0.25) > -10)
    }

    @Test func withoutListsNothingIsLifted() {
        #expect(FairShare(length: 20).constant(cost: 0.02) == 0)
        var empty = FairShare(length: 20)
        empty.add(others: [], new: [(1, true)], wanted: 0.5, hitWorth: 1)
        #expect(empty.constant(cost: 0.02) == 0)
    }
}

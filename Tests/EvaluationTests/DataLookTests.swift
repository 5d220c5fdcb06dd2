import Evaluation
import Testing

/// Each thing that is looked for is planted, and found; what is not there is not seen.
@Suite struct DataLookTests {
    @Test func anOrderAndTimesThatAreMadeUpAreSeen() {
        let look = PlantedLook.ordered(users: 300, items: 200, length: 40) { item, random in
            random(10) < 6 ? item * 7 + 1 : random(200)
        }.look
        #expect(look.events == 12_000 && look.users == 300 && look.items == 200 && look.eventsPerUser == 40)
        #expect(look.commonestGap == 1 && look.commonestEnd == 1 && look.hasMadeUpTimes)
        #expect(look.tied == 0 && look.repeats == 0 && look.askedPairs == 1_200)
        #expect(look.order > 0.5 && (look.orderRatio ?? 0) > 1.2, "\(look.order), \(look.orderRatio ?? 0)")
        #expect(look == PlantedLook.ordered(users: 300, items: 200, length: 40) { item, random in
            random(10) < 6 ? item * 7 + 1 : random(200)
        }.look, "the same log gives the same look")
    }

    @Test func whereThereIsNoOrderNoneIsSeen() {
        let look = PlantedLook.ordered(users: 400, items: 300, length: 30) { item, random in item / 100 * 100 + random(100) }.look
        #expect(look.order > 0.05 && (0.9...1.1).contains(look.orderRatio ?? 0), "\(look.order), \(look.orderRatio ?? 0)")
    }

    @Test func basketsRepeatsAndTheirMoneyAreSeenAndTheOrderWithinAnInstantIsNone() {
        var shop = PlantedLook.baskets(users: 300, items: 400, visits: 12, size: 5, repeated: 40)
        // Lines of a basket in the order of the catalogue.
        for user in shop.users.indices { shop.users[user].sort { ($0.time, $0.item) < ($1.time, $1.item) } }
        let look = shop.look
        #expect((0.75...0.85).contains(look.tied) && look.eventsPerVisit == 5, "\(look.tied), \(look.eventsPerVisit)")
        #expect((0.2...0.6).contains(look.repeats) && look.askedPairs > 500, "\(look.repeats) of \(look.askedPairs)")
        #expect(look.purchases == 1 && look.valued == 1 && !look.hasMadeUpTimes)
        #expect((look.repeatDays ?? 0) >= 7 && look.repeatsWithinHour == 0)
        #expect(look.orderPairs <= 300 * 11, "only the last of a basket and the first of the next are neighbours: \(look.orderPairs)")
        #expect((150.0...180.0).contains(look.spanDays), "\(look.spanDays)")
    }

    @Test func returnsToAPageAreRepeatsWithinTheHour() {
        var log = PlantedLook(users: [], items: 27)
        for user in 0..<60 {
            let came = PlantedLook.start + Int64(user) * PlantedLook.day
            log.users.append((0..<6).map { place in PlantedLook.click(user % 9 * 3 + place % 3, came + Int64(place) * 60_000) })
        }
        let look = log.look
        #expect(look.repeatsWithinHour == 1 && look.repeatDays == nil && look.eventsPerVisit == 6)
    }

    @Test func newItemsAndNewUsersOfTheNewestTenthAreSeen() {
        let day = PlantedLook.day, start = PlantedLook.start
        // Eighty old users over ninety days, half of what they do on the last ten is with items of these days; twenty come new.
        var log = PlantedLook(users: [], items: 200, isDescribed: (0..<200).map { $0 >= 150 })
        for user in 0..<80 {
            let first = start + Int64(user)
            let old = (0..<90).map { place in PlantedLook.click((user * 7 + place * 11) % 100, first + Int64(place) * day) }
            let late = (90..<94).map { place in
                PlantedLook.click(place % 2 == 0 ? 100 + place % 4 : place, first + Int64(place + 10) * day)
            }
            log.users.append(old + late)
        }
        for user in 0..<20 {
            let came = start + 101 * day + Int64(user * 100)
            log.users.append((0..<32).map { PlantedLook.click($0, came + Int64($0)) })
        }
        let look = log.look
        #expect((0.2...0.5).contains(look.newItems), "\(look.newItems)")
        #expect((0.5...0.8).contains(look.newUsers), "\(look.newUsers)")
        #expect(look.content.items == 200 && look.content.newDescribed == 0.25)
    }

    /// Nobody, one user, equal times, times at the ends of what there is.
    private static var odd: [PlantedLook] {
        let far: Int64 = 9_000_000_000_000_000_000
        let equal = (0..<50).map { PlantedLook.click($0 % 5, 7) }, basket = (0..<4).map { PlantedLook.bought($0, 7) }
        return [
            PlantedLook(), PlantedLook(users: [[]], items: 3), PlantedLook(users: [[PlantedLook.click(0, 5)]], items: 1),
            PlantedLook(users: [equal], items: 5), PlantedLook(users: [[PlantedLook.Event]](repeating: basket, count: 50), items: 4),
            PlantedLook(users: (0..<30).map { [PlantedLook.click(0, -far), PlantedLook.click($0, far)] }, items: 30),
            PlantedLook(users: [[PlantedLook.click(0, .min), PlantedLook.click(0, .max)]], items: 1),
        ]
    }

    @Test(arguments: DataLookTests.odd.indices)
    func oddLogsHaveNumbers(_ place: Int) {
        let look = Self.odd[place].look
        let numbers = [
            look.spanDays, look.commonestGap, look.commonestEnd, look.tied, look.eventsPerVisit, look.repeats, look.repeatsWithinHour,
            look.order, look.newItems, look.newUsers, look.purchases, look.valued, look.content.newDescribed, look.orderRatio ?? 0,
        ]
        #expect(numbers.allSatisfy { $0.isFinite && $0 >= 0 }, "\(numbers)")
        #expect(!look.hasMadeUpTimes || look.users >= 20)
        let choice = AutoChoice(look, own: [:])
        #expect(choice.decisions.allSatisfy { ["train.preset", "train.holdout"].contains($0.key) }, "\(choice.decisions)")
    }

    @Test func ratingsHaveAScaleOrNone() {
        func ratings(_ count: Int, _ rating: (Int) -> Double?) -> RatingLook { RatingLook((0..<count).map(rating)) }
        let stars = ratings(1_000) { $0 % 10 == 0 ? nil : Double($0 % 5 + 1) }
        #expect(stars.isScale && stars.rated == 0.9 && stars.lowest == 1 && stars.highest == 5 && stars.likedFrom == 4)
        #expect(ratings(1_000) { Double($0 % 10 + 1) }.likedFrom == 7.75)
        #expect(ratings(100) { Double($0 % 2) }.likedFrom == 0.75)
        // One value a thousandfold moves no scale.
        #expect(ratings(1_000) { $0 == 7 ? 1_000_000 : Double($0 % 5 + 1) }.highest == 5)
        #expect(!ratings(100) { $0 < 95 ? 1 : 5 }.isScale, "hardly anything is liked")
        for none in [[], [nil, nil, 4.0], [5, 5, 5], [.nan, .infinity, nil]] as [[Double?]] { #expect(!RatingLook(none).isScale) }
    }
}

import Evaluation
import Testing

@Suite("Whether people take things again is counted")
struct RepeatStatisticsTests {
    private struct Event {
        var item: Int, day: Double, isPurchase = true
    }

    /// Users' events, oldest first; an item's category is `item / itemsPerCategory`.
    private func counted(_ users: [[Event]], items: Int, itemsPerCategory: Int = 1_000_000) -> RepeatStatistics {
        let all = users.flatMap { $0 }
        var starts = [0]
        for own in users { starts.append(starts[starts.count - 1] + own.count) }
        return RepeatStatistics(
            RepeatEvents(
                users: users.indices.map { starts[$0]..<starts[$0 + 1] }, itemCount: items,
                categoryCount: (items + itemsPerCategory - 1) / itemsPerCategory, item: { all[$0].item },
                isPurchase: { all[$0].isPurchase }, time: { Int64(all[$0].day * 86_400_000) }, category: { $0 / itemsPerCategory }))
    }

    @Test("a shop where everybody buys the same again, and one where nobody does")
    func extremes() {
        let same = counted((0..<200).map { user in (0..<10).map { Event(item: user % 7, day: Double($0)) } }, items: 7)
        #expect(same.bought == .init(repeats: 200, pairs: 200) && same.bought.value == 1 && same.met == same.bought)
        #expect(same.clicked == .init() && same.bought.interval.lowerBound > 0.97 && same.returns == .init())
        let films = counted((0..<200).map { user in (0..<10).map { Event(item: (user + $0) % 40, day: Double($0)) } }, items: 40)
        // 1,000 pairs are wanted: half of the log is held against the other.
        #expect(films.part == 0.5 && films.bought == .init(repeats: 0, pairs: 1_000) && films.bought.interval.upperBound < 0.004)
    }

    @Test("clicks and purchases are counted apart, and returns to a page are told from repeats")
    func kinds() {
        let minute = 1.0 / 1_440
        // Everybody clicks an item twice within minutes and buys another one, never again.
        let statistics = counted(
            (0..<150).map { user in
                (0..<10).flatMap { day -> [Event] in
                    let item = user * 20 + 2 * day
                    return [
                        Event(item: item, day: Double(day), isPurchase: false),
                        Event(item: item, day: Double(day) + 5 * minute, isPurchase: false),
                        Event(item: item + 1, day: Double(day) + 9 * minute),
                    ]
                }
            }, items: 3_100)
        #expect(statistics.returns == .init(repeats: 1_500, pairs: 1_500))
        #expect(statistics.bought.pairs > 0 && statistics.bought.repeats == 0)
        #expect(statistics.clicked.pairs > statistics.bought.pairs)
    }

    @Test("a category that is bought again is told from one that is not")
    func categories() {
        // Items 0..<10 are tea, 10..<4010 machines; everybody buys their tea each day, and each day another machine.
        let users = (0..<400).map { user in
            (0..<10).flatMap { day in
                [Event(item: user % 10, day: Double(day)), Event(item: 10 + (user * 7 + day * 131) % 20, day: Double(day) + 0.1)]
            }
        }
        let statistics = counted(users, items: 30, itemsPerCategory: 10)
        let tea = statistics.categories.first { $0.category == 0 }
        #expect(tea?.rate ?? 0 > 0.8 && statistics.discoveryPrecision > 0)
        for category in statistics.categories where category.category > 0 {
            #expect(category.rate < tea?.rate ?? 0 && category.again <= category.pairs && category.upper >= category.rate)
        }
        #expect(!statistics.categoriesNotRepeated.contains(0))
    }

    @Test("nothing, one user, one moment and times at the ends give counts and no crash")
    func odd() {
        #expect(counted([], items: 0) == counted([[], []], items: 3) && counted([], items: 0).met.interval == 0...1)
        let one = counted([[Event(item: 0, day: 0)]], items: 1)
        #expect(one.met == .init() && one.bought.value == 0)
        // All at one time: the last interaction of each user is held against those before.
        let instant = counted((0..<5).map { _ in [Event(item: 0, day: 3), Event(item: 1, day: 3), Event(item: 0, day: 3)] }, items: 2)
        #expect(instant.part == nil && instant.bought == .init(repeats: 5, pairs: 5))
        let far = counted([[Event(item: 0, day: -1e10), Event(item: 0, day: 1e10), Event(item: 0, day: 1e10)]], items: 1)
        #expect(far.returns == .init() && far.met.pairs <= 1)
        let seen = counted([[-1e10, 1e10, 1e10].map { Event(item: 0, day: $0, isPurchase: false) }], items: 1)
        #expect(seen.returns == .init(repeats: 1, pairs: 2))
    }
}

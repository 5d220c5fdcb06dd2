import Evaluation

/// A log whose kind is planted, and what is seen of it.
struct PlantedLook {
    typealias Event = (item: Int, time: Int64, type: UInt8, amount: Int64)

    /// By user, oldest first.
    var users: [[Event]] = []
    var items = 0
    var isDescribed: [Bool]?

    var look: DataLook {
        var starts = [0]
        for own in users { starts.append(starts[starts.count - 1] + own.count) }
        let events = users.flatMap { $0 }
        return events.map { Int32($0.item) }.withUnsafeBufferPointer { items in
            events.map(\.type).withUnsafeBufferPointer { types in
                events.map(\.time).withUnsafeBufferPointer { times in
                    events.map(\.amount).withUnsafeBufferPointer { amounts in
                        DataLook(
                            LogColumns(
                                userStarts: starts, items: items, types: types, times: times, amounts: amounts,
                                isDescribed: isDescribed ?? [Bool](repeating: false, count: self.items)))
                    }
                }
            }
        }
    }

    static let day: Int64 = 86_400_000
    /// 2023-11-15, midnight.
    static let start: Int64 = 1_700_006_400_000

    /// Users who take items one after the other, each once, in times that are made up: `next` says what follows, of what they had not.
    static func ordered(users: Int, items: Int, length: Int, next: (_ item: Int, _ random: (Int) -> Int) -> Int) -> PlantedLook {
        var random = Random()
        return PlantedLook(
            users: (0..<users).map { _ in
                var had = Set<Int>(), item = random.below(items), own: [Event] = []
                for place in 0..<length {
                    while had.contains(item) { item = (item + 1) % items }
                    had.insert(item)
                    own.append((item, start + Int64(place - length) * 60_000, 1, -1))
                    item = next(item) { random.below($0) } % items
                }
                return own
            }, items: items)
    }

    /// A shop: each visit is one instant with several purchases, of which a share is of what the user had before.
    static func baskets(users: Int, items: Int, visits: Int, size: Int, repeated percent: Int) -> PlantedLook {
        var random = Random()
        return PlantedLook(
            users: (0..<users).map { user in
                var had: [Int] = [], own: [Event] = []
                for visit in 0..<visits {
                    let time = start + Int64(visit) * 14 * day + Int64(random.below(10)) * day + Int64(user) * 1_000
                    var basket: [Int] = []
                    while basket.count < size {
                        let item = !had.isEmpty && random.below(100) < percent ? had[random.below(had.count)] : random.below(items)
                        if !basket.contains(item) { basket.append(item) }
                    }
                    had += basket
                    own += basket.map { ($0, time, 3, 500) }
                }
                return own
            }, items: items)
    }

    /// A click.
    static func click(_ item: Int, _ time: Int64) -> Event { (item, time, 1, -1) }

    /// A purchase for one.
    static func bought(_ item: Int, _ time: Int64) -> Event { (item, time, 3, 1) }

    /// The same numbers every time.
    struct Random {
        private var state: UInt64 = 7

        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
    }
}

import ContentModel
import Interactions
import Tensors
import TrainingFiles

/// Logs with a structure that learning must find. Users and items are numbered by their rows.
enum PlantedLog {
    static let start: Int64 = 1_700_000_000_000
    static let day: Int64 = 86_400_000

    static func user(_ number: Int) -> String { "u" + padded(number) }
    static func item(_ number: Int) -> String { "i" + padded(number) }

    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }

    /// The moment of a user's event: everybody's events of one number fall on one day.
    static func time(_ user: Int, _ event: Int) -> Int64 { start + Int64(event) * day + Int64(user) * 60_000 }

    /// Users whose next item is what `next` says of their number and of the items that they had.
    static func log(
        users: Int, events: Int, items: Int, seed: UInt64 = 1,
        next: (_ user: Int, _ had: [Int], _ random: inout SeededGenerator) -> Int
    ) -> TrainingLog {
        var random = SeededGenerator(seed: seed, stream: 7), all: [SmallLog.Event] = []
        for number in 0..<users {
            var had: [Int] = []
            for event in 0..<events {
                had.append(next(number, had, &random))
                all.append(SmallLog.Event(user: user(number), item: item(had[event]), time: time(number, event)))
            }
        }
        return SmallLog.of(all, items: (0..<items).map(item))
    }

    /// Whoever had an item takes the one after it.
    static func chain(users: Int = 60, events: Int = 12, items: Int = 40, seed: UInt64 = 1) -> TrainingLog {
        log(users: users, events: events, items: items, seed: seed) { _, had, random in
            had.last.map { ($0 + 1) % items } ?? random.next(below: items)
        }
    }

    /// Two tastes, by even and odd users, for the two halves of a catalogue whose words, categories and prices tell them apart. One
    /// event in ten is against the taste.
    static func tastes(users: Int = 60, events: Int = 10, items: Int = 24, seed: UInt64 = 1) -> TrainingLog {
        var log = log(users: users, events: events, items: items, seed: seed) { user, _, random in
            let own = random.next(below: 10) == 0 ? 1 - user % 2 : user % 2
            return own * items / 2 + random.next(below: items / 2)
        }
        log.contents = (0..<items).map { content(of: $0, among: items) }
        log.attributes = (0..<users).map { ["taste=\($0 % 2)"] }
        return log
    }

    /// A content with a title and categories alone.
    static func content(title: String?, categories: [String]) -> ItemContent { ItemContent(title: title, categories: categories) }

    private static func content(of item: Int, among items: Int) -> ItemContent {
        let half = item * 2 / items
        let words = [["trail", "running", "shoe"], ["espresso", "coffee", "grinder"]][half]
        return ItemContent(
            title: "\(words[item % 3]) \(words[(item + 1) % 3])", categories: [["outdoor", "kitchen"][half]],
            priceMicros: Int64(10 + item) * 1_000_000, publishedAt: start - Int64(items - item) * day)
    }
}

import ContentModel
import FuzzInputs
import Tensors
import Testing

/// Vectors of items by content, in the space of who took what.
struct ContentFactorTests {
    private static let subjects = ["tents", "maps", "ropes"]
    private static let items = 60, users = 90

    /// Items of three subjects; each user takes those of one. Items 54 and later are taken like the others and may be left out.
    private static func learning() -> (ContentLearning, ContentFactorLearning, [ItemContent]) {
        let contents = (0..<items).map { item in
            ItemContent(tags: [subjects[item % 3], "any\(item % 7)", "\(subjects[item % 3])-\(item / 3 % 2)"])
        }
        var events: [Int32] = [], users: [Range<Int>] = []
        for user in 0..<Self.users {
            let start = events.count
            for step in 0..<8 { events.append(Int32(user % 3 + 3 * ((user / 3 + step * (1 + user % 5)) % (items / 3)))) }
            users.append(start..<events.count)
        }
        let ids = (0..<items).map { "i\($0)" }
        return events.withUnsafeBufferPointer { events in
            let learning = ContentLearning(itemIDs: ids, contents: contents, users: users, events: events, clock: 0, rules: ContentRules())
            return (learning, ContentFactorLearning(learning, contents: contents, users: users, events: events, seed: 1), contents)
        }
    }

    private static func product(_ a: [Float], _ b: [Float]) -> Float { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

    @Test("items that were left out stand near the users of their subject")
    func leftOut() {
        let (_, factors, _) = Self.learning()
        let found = factors.factors(rank: 3) { $0 >= 54 }
        for subject in 0..<3 {
            let user = found.user((0..<6).map { Int32(subject + 3 * $0) })
            let scores = (54..<60).map { (subject: $0 % 3, score: Self.product(user, factors.item($0, in: found).vector)) }
            let own = scores.filter { $0.subject == subject }.map(\.score).min() ?? 0
            let others = scores.filter { $0.subject != subject }.map(\.score).max() ?? 0
            #expect(own > others, "subject \(subject): \(scores)")
        }
        // What was left out counts in no history.
        #expect(found.user([54, 57]).allSatisfy { $0 == 0 })
    }

    @Test("the same seed gives the same factors; tensors come back; damaged ones are refused")
    func coding() throws {
        let (learning, factors, contents) = Self.learning()
        let found = factors.factors(rank: 3)
        #expect(found == Self.learning().1.factors(rank: 3))
        let part = found.encoded()
        let back = try ContentFactors(encoded: part)
        #expect(back == found && back.itemCount == Self.items)
        let own = learning.channel.vector(of: contents[2], id: "i2")
        #expect(back.item(contents[2], own: own, channel: learning.channel) == factors.item(2, in: found))
        for damage in PartDamage.all(of: part) {
            #expect(throws: PartFormatError.self, "\(damage.what)") { try ContentFactors(encoded: damage.part) }
        }
        let moved = found.renumbered([nil, 0])
        #expect(moved.itemCount == 2 && moved.user([1]) == found.user([0]) && moved.user([0]).allSatisfy { $0 == 0 })
    }
}

import ContentModel
import MetaLearning
import Recommending
import Tensors

/// A trained category treated as new: some of its items, and some users with what they took of them and what they had beside them. Tasks
/// are drawn from it.
package struct CategoryPool {
    /// Items of a pool, and users, at most.
    package static let itemsLimit = 150, usersLimit = 160
    /// A user with fewer items outside of the category is not asked.
    package static let leastHistory = 5
    /// What a pool needs: supports, and users to judge by.
    package static let leastItems = 8, leastUsers = 12

    /// The category's name.
    package let category: String
    /// `[users · items, part count]`, likeness left out.
    package let parts: Matrix
    /// Vectors of users, `[users, rank]`.
    package let users: Matrix
    /// Vectors of items, `[items, rank]`.
    package let items: Matrix
    /// Places of the items that each user took, at least one.
    package let taken: [[Int]]
    /// Cosine-like products of the items' contents, `[items, items]`.
    private let alike: Matrix
    private let events: [(user: Int, item: Int)]

    /// - Parameters:
    ///   - rows: the items' rows; users: of the log, with the rows of what they had beside and what they took of `rows` by place.
    package init(
        category: String, rows: [Int], asked: [(history: [Int32], taken: [Int])], learning: ContentLearning,
        factorLearning: ContentFactorLearning, factors: ContentFactors
    ) {
        self.category = category
        let channel = learning.channel
        let own = rows.map { factorLearning.item($0, in: factors) }
        items = Matrix(rows: rows.count, columns: factors.rank, values: own.flatMap(\.vector))
        users = Matrix(rows: asked.count, columns: factors.rank, values: asked.flatMap { factors.user($0.history) })
        taken = asked.map(\.taken)
        var parts = Matrix(rows: asked.count * rows.count, columns: CategoryPart.count)
        for (user, question) in asked.enumerated() {
            let profile = channel.profile(question.history.lazy.map { learning.vectors[Int($0)] })
            parts.withUnsafeMutablePointer { parts in
                for place in rows.indices {
                    channel.writeCategoryParts(
                        learning.items[rows[place]], factors: own[place], profile: profile, likeness: 0,
                        into: parts + (user * rows.count + place) * CategoryPart.count)
                }
            }
        }
        self.parts = parts
        var alike = Matrix(rows: rows.count, columns: rows.count)
        for (place, row) in rows.enumerated() {
            let profile = channel.profile(CollectionOfOne(learning.vectors[row]))
            for other in rows.indices { alike[place, other] = channel.similarity(learning.items[rows[other]], profile) }
        }
        self.alike = alike
        events = asked.enumerated().flatMap { user, question in question.taken.map { (user, $0) } }
    }

    /// A task: so many events at random as support, so many other users as queries, asked among the items that are not in the support.
    package func task(support: Int, query: Int, using random: inout SeededGenerator) -> MetaTask {
        let (support, query) = questions(support: support, query: query, using: &random)
        return MetaTask(support: support, query: query)
    }

    /// The questions of a task.
    package func questions(
        support: Int, query: Int, using random: inout SeededGenerator
    ) -> (support: CategoryQuestions, query: CategoryQuestions) {
        var drawn: [(user: Int, item: Int)] = []
        for _ in 0..<support { drawn.append(events[random.next(below: events.count)]) }
        let supportItems = Set(drawn.map(\.item)), supportUsers = Set(drawn.map(\.user))
        let likeness = self.likeness(to: supportItems.sorted())
        let rest = (0..<items.rows).filter { !supportItems.contains($0) }
        var order = Array(taken.indices)
        random.shuffle(&order)
        var asked: [(user: Int, taken: [Int])] = []
        for user in order where asked.count < query && !supportUsers.contains(user) {
            let left = taken[user].filter { !supportItems.contains($0) }
            if !left.isEmpty { asked.append((user, left)) }
        }
        let all = Array(0..<items.rows)
        // Every support item is like the support: a step must not take that for a merit.
        let unknown = [Float](repeating: 0, count: items.rows)
        return (
            questions(drawn.map { ($0.user, [$0.item]) }, among: all, likeness: unknown), questions(asked, among: rest, likeness: likeness)
        )
    }

    private func likeness(to support: [Int]) -> [Float] {
        // An item's product with its own unit vector is its length, so this is the length of the sum of the support's unit vectors.
        var square: Float = 0
        for item in support { for other in support where alike[other, other] > 0 { square += alike[item, other] / alike[other, other] } }
        let scale = square > 0 ? 1 / square.squareRoot() : 0
        return (0..<items.rows).map { item in scale * support.reduce(Float(0)) { $0 + alike[$1, item] } }
    }

    private func questions(_ asked: [(user: Int, taken: [Int])], among columns: [Int], likeness: [Float]) -> CategoryQuestions {
        var chosen = Matrix(rows: asked.count * columns.count, columns: CategoryPart.count)
        var vectors = Matrix(rows: asked.count, columns: users.columns), own = Matrix(rows: columns.count, columns: items.columns)
        var answers = Matrix(rows: asked.count, columns: columns.count)
        let places = Dictionary(columns.enumerated().map { ($1, $0) }) { first, _ in first }
        for (column, item) in columns.enumerated() { for k in 0..<items.columns { own[column, k] = items[item, k] } }
        let likenessPlace = CategoryPart.likeness.rawValue
        for (place, question) in asked.enumerated() {
            for k in 0..<users.columns { vectors[place, k] = users[question.user, k] }
            for item in question.taken { if let column = places[item] { answers[place, column] = 1 / Float(question.taken.count) } }
            for (column, item) in columns.enumerated() {
                let to = place * columns.count + column, from = question.user * items.rows + item
                for k in 0..<likenessPlace { chosen[to, k] = parts[from, k] }
                chosen[to, likenessPlace] = ContentChannel.categoryScale * likeness[item]
            }
        }
        return CategoryQuestions(parts: chosen, users: vectors, items: own, answers: answers)
    }
}

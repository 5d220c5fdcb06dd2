import MetaLearning
import Tensors
#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// One person who took items of a category.
public struct CategoryWitness: Sendable {
    /// Ids of the items that they met before, the category's left out.
    public var historyItemIDs: [String]
    /// The item of the category that they took.
    public var itemID: String

    /// Makes a witness.
    public init(historyItemIDs: [String], itemID: String) {
        self.historyItemIDs = historyItemIDs
        self.itemID = itemID
    }
}

/// Adaptation to categories on a snapshot: which are new, what their few events teach.
extension ServingSnapshot {
    /// Items of a category that an adaptation compares with at most: those with events, then the first.
    public static let comparedLimitItems = 1_000

    /// Whether the model can adapt.
    public var isAdaptable: Bool { content?.adaptation != nil }

    /// The longest name of a category that can be adapted to, in bytes: the database keeps adapters under it in an index.
    public static let categoryNameLimitBytes = 1_024

    /// Categories that no trained item has, with the ids of their items. A name beyond ``categoryNameLimitBytes`` is no category: an
    /// attribute may hold whole texts.
    public var newCategories: [String: [String]] {
        (content?.adaptation?.newCategories ?? [:]).filter { $0.key.utf8.count <= Self.categoryNameLimitBytes }
            .mapValues { $0.flatMap { catalogue.itemIDs(of: $0) } }
    }

    /// Whether trained items have a category.
    public func isTrained(category: String) -> Bool { content?.adaptation?.isTrained(category) == true }

    /// The same snapshot with other adapters in force, newest first.
    public func adapting(_ categories: [AdaptedCategory]) -> ServingSnapshot {
        guard isAdaptable else { return self }
        var next = self
        next.content?.install(categories) { catalogue.row(of: $0) }
        return next
    }

    /// Names of the categories whose adapters are in force.
    public var adaptedCategories: [String] { content?.adaptation?.categories.map(\.name) ?? [] }

    /// The questions of witnesses among items; nil where there is nothing to ask.
    public func questions(_ witnesses: [CategoryWitness], support: [String], among itemIDs: [String]) -> CategoryQuestions? {
        guard let content, let adaptation = content.adaptation else { return nil }
        let rows = distinctRows(itemIDs).filter { adaptation.items[$0] != nil && content.item($0) != nil }
        let places = Dictionary(rows.enumerated().map { ($1, $0) }) { first, _ in first }
        let asked = witnesses.compactMap { witness in
            catalogue.row(of: witness.itemID).flatMap { places[$0] }.map { (witness.historyItemIDs, $0) }
        }
        guard !asked.isEmpty, rows.count > 1 else { return nil }
        let supportProfile = content.channel.profile(support.lazy.compactMap { catalogue.row(of: $0).flatMap { content.vector($0) } })
        var parts = Matrix(rows: asked.count * rows.count, columns: CategoryPart.count)
        var users = Matrix(rows: asked.count, columns: adaptation.factors.rank)
        var items = Matrix(rows: rows.count, columns: adaptation.factors.rank)
        var answers = Matrix(rows: asked.count, columns: rows.count)
        var likeness = [Float](repeating: 0, count: rows.count)
        for (place, row) in rows.enumerated() {
            guard let item = content.item(row), let own = adaptation.items[row] else { continue }
            likeness[place] = content.channel.similarity(item, supportProfile)
            for k in 0..<items.columns { items[place, k] = own.factors.vector[k] }
        }
        for (place, question) in asked.enumerated() {
            let history = question.0.compactMap { catalogue.row(of: $0) }
            let profile = content.channel.profile(history.lazy.compactMap { content.vector($0) })
            for (k, value) in adaptation.user(history).enumerated() { users[place, k] = value }
            answers[place, question.1] = 1
            parts.withUnsafeMutablePointer { parts in
                for (column, row) in rows.enumerated() {
                    guard let item = content.item(row), let own = adaptation.items[row] else { continue }
                    content.channel.writeCategoryParts(
                        item, factors: own.factors, profile: profile, likeness: likeness[column],
                        into: parts + (place * rows.count + column) * CategoryPart.count)
                }
            }
        }
        return CategoryQuestions(parts: parts, users: users, items: items, answers: answers)
    }

    /// The offset under which a category's items as a whole have, for the witnesses in the mean, the weight that the content channel
    /// gives them: an adaptation changes their order, not their share.
    public func offset(
        of adapter: CategoryAdapter, questions: CategoryQuestions, witnesses: [CategoryWitness], among itemIDs: [String]
    ) -> Float {
        guard let content, let adaptation = content.adaptation else { return 0 }
        let rows = distinctRows(itemIDs).filter { adaptation.items[$0] != nil && content.item($0) != nil }
        let logits = questions.logits(adapter.parameters.map { .constant($0) }).value
        var total = 0.0
        for place in 0..<min(questions.users.rows, witnesses.count) {
            let history = witnesses[place].historyItemIDs.compactMap { catalogue.row(of: $0) }
            let profile = content.channel.profile(history.lazy.compactMap { content.vector($0) })
            let before = rows.map { row in content.item(row).map { content.channel.score($0, profile: profile, tower: 0, level: 0) } ?? 0 }
            total += Self.logSum(before) - Self.logSum(logits.row(place))
        }
        return Float(total / Double(max(1, min(questions.users.rows, witnesses.count))))
    }

    /// The rows of items in their order, each once: the members of a group are one.
    private func distinctRows(_ itemIDs: [String]) -> [Int32] {
        var seen = RowSet(rows: catalogue.count)
        return itemIDs.compactMap { catalogue.row(of: $0) }.filter { seen.insert($0) }
    }

    private static func logSum(_ scores: [Float]) -> Double {
        guard let top = scores.max() else { return 0 }
        return Double(top) + log(scores.reduce(0.0) { $0 + exp(Double($1 - top)) })
    }
}

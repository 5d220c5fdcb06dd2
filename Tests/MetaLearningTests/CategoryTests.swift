import FuzzInputs
import Gradients
import MetaLearning
import Tensors
import Testing

/// Categories whose items are taken by a planted rule that differs from category to category in one direction.
struct CategoryTests {
    private static let rank = 4, items = 24

    /// A category in which users follow 2 · popularity + user · item + direction · item with `direction` = ± 3 along the first axis; the
    /// start knows of the sum, and only events tell the sign.
    private static func questions(
        sign: Float, users: Int, using random: inout SeededGenerator
    ) -> (CategoryQuestions, sign: Float) {
        var parts = Matrix(rows: users * items, columns: CategoryPart.count), answers = Matrix(rows: users, columns: items)
        let people = Matrix.normal(rows: users, columns: rank, deviation: 1, using: &random)
        let things = Matrix.normal(rows: items, columns: rank, deviation: 1, using: &random)
        let popularity = (0..<items).map { _ in random.normal() }
        for user in 0..<users {
            var scores: [Float] = []
            for item in 0..<items {
                let row = user * items + item
                parts[row, CategoryPart.similarity.rawValue] = random.normal()
                parts[row, CategoryPart.popularity.rawValue] = popularity[item]
                var score = 2 * popularity[item] + sign * 3 * things[item, 0]
                for k in 0..<rank { score += people[user, k] * things[item, k] }
                scores.append(score)
            }
            let best = scores.indices.max { scores[$0] < scores[$1] } ?? 0
            answers[user, best] = 1
        }
        return (CategoryQuestions(parts: parts, users: people, items: things, answers: answers), sign)
    }

    private static func task(using random: inout SeededGenerator) -> MetaTask {
        let sign: Float = random.bernoulli(0.5) ? 1 : -1
        return MetaTask(
            support: questions(sign: sign, users: 5, using: &random).0, query: questions(sign: sign, users: 15, using: &random).0)
    }

    private static func learned(order: MetaConfiguration.Order, seed: UInt64 = 1) -> (
        starts: CategoryStarts, summary: CategoryMetaTraining.Summary
    ) {
        var random = SeededGenerator(seed: 7)
        let validation = (0..<20).map { _ in task(using: &random) }
        let rules = MetaConfiguration(
            innerSteps: 3, rateShape: .element, proximity: 0.01, order: order, outer: AdamRule(learningRate: 0.05), gradientLimit: 5,
            validationIntervalSteps: 10)
        return CategoryMetaTraining(configuration: rules, maxSteps: 60, seed: seed).run(rank: rank, validation: validation) {
            task(using: &$0)
        }
    }

    @Test("the loss's gradients, and the exact outer gradient through the steps, agree with differences")
    func derivatives() {
        var random = SeededGenerator(seed: 2)
        let task = Self.task(using: &random)
        let start = CategoryAdapter.start(rank: Self.rank).parameters
        let configuration = MetaConfiguration(innerSteps: 2, innerRate: 0.1, rateShape: .element, proximity: 0.1)
        let state = MetaState(parameters: start, configuration: configuration, seed: 1)
        let exact = MetaLearner(resuming: state, configuration: configuration).metaGradient(of: task)
        func loss(_ i: Int, _ element: Int, _ step: Float) -> Double {
            var moved = state
            moved.parameters[i][0, element] += step
            return Double(MetaLearner(resuming: moved, configuration: configuration).metaGradient(of: task).queryLoss)
        }
        var worst = 0.0, largest = 0.0
        for (i, slope) in exact.parameters.enumerated() {
            for element in 0..<slope.count {
                let numeric = (loss(i, element, 0.01) - loss(i, element, -0.01)) / 0.02
                worst = max(worst, abs(numeric - Double(slope[0, element])))
                largest = max(largest, abs(numeric))
            }
        }
        #expect(largest > 0.05 && worst < 0.01 * largest, "\(worst) of \(largest)")
    }

    @Test("the Hessian of the support loss times a vector agrees with differences of gradients")
    func hessian() {
        var random = SeededGenerator(seed: 3)
        let questions = Self.questions(sign: 1, users: 5, using: &random).0
        let start = CategoryAdapter.start(rank: Self.rank).parameters
        let direction = start.map { Matrix.normal(rows: 1, columns: $0.columns, deviation: 1, using: &random) }
        func gradient(_ step: Float) -> [Matrix] {
            let points = zip(start, direction).map { point, move in
                Variable(Matrix(row: zip(point.values, move.values).map { $0 + step * $1 }))
            }
            return gradients(of: questions.loss(points), withRespectTo: points).map(\.value)
        }
        let points = start.map { Variable($0) }
        let slopes = gradients(of: questions.loss(points), withRespectTo: points, creatingGraph: true)
        let along = zip(slopes, direction).map { ($0 * Variable.constant($1)).sum() }.reduce(Variable.constant(0)) { $0 + $1 }
        let exact = gradients(of: along, withRespectTo: points).map(\.value)
        let above = gradient(0.01), below = gradient(-0.01)
        var worst: Float = 0, largest: Float = 0
        for i in exact.indices {
            for element in 0..<exact[i].count {
                let numeric = (above[i][0, element] - below[i][0, element]) / 0.02
                worst = max(worst, abs(numeric - exact[i][0, element]))
                largest = max(largest, abs(numeric))
            }
        }
        #expect(largest > 0.05 && worst < 0.01 * largest, "\(worst) of \(largest)")
    }

    @Test(
        "a planted family is found: adaptation beats its start, and the meta-learned one beats plain fine-tuning; both orders",
        arguments: [
        MetaConfiguration.Order.second, .first,
    ])
    func planted(order: MetaConfiguration.Order) {
        let (starts, summary) = Self.learned(order: order)
        #expect(summary.meta < 0.85 * summary.none, "\(summary)")
        #expect(summary.meta < summary.fineTune, "\(summary)")
        var random = SeededGenerator(seed: 99), right = 0
        for _ in 0..<20 {
            let (support, sign) = Self.questions(sign: random.bernoulli(0.5) ? 1 : -1, users: 5, using: &random)
            let adapter = CategoryAdapter(starts.adapted(to: support, by: .meta))
            if adapter.categoryVector[0] * sign > 0.1 { right += 1 }
        }
        #expect(right >= 18, "the sign of the category was found in \(right) of 20")
    }

    @Test("the same seed gives the same starts and adapters, bytes and all; others are refused")
    func coding() throws {
        let (starts, _) = Self.learned(order: .second, seed: 5)
        #expect(Self.learned(order: .second, seed: 5).starts == starts)
        let part = starts.encoded()
        #expect(try CategoryStarts(encoded: part) == starts)
        for damage in PartDamage.all(of: part) {
            #expect(throws: PartFormatError.self, "\(damage.what)") { try CategoryStarts(encoded: damage.part) }
        }
        var random = SeededGenerator(seed: 4)
        let support = Self.questions(sign: 1, users: 5, using: &random).0
        var adapter = CategoryAdapter(starts.adapted(to: support, by: .meta), offset: 1.5)
        #expect(adapter == CategoryAdapter(starts.adapted(to: support, by: .meta), offset: 1.5))
        #expect(try CategoryAdapter(encoded: adapter.encoded()) == adapter)
        #expect(starts.adapted(to: support, by: .none) == starts.plain)
        #expect(starts.adapted(to: nil, by: .meta) == starts.meta)
        let bytes = adapter.encoded()
        #expect(throws: CategoryFormatError.self) { try CategoryAdapter(encoded: Array(bytes.dropLast())) }
        #expect(throws: CategoryFormatError.self) { try CategoryAdapter(encoded: []) }
        adapter.offset = .nan
        #expect(!adapter.isFinite)
        let damaged = adapter.encoded()
        #expect(throws: CategoryFormatError.self) { try CategoryAdapter(encoded: damaged) }
    }

    @Test("an adapter scores as the loss's logits do")
    func logits() {
        var random = SeededGenerator(seed: 8)
        let questions = Self.questions(sign: 1, users: 3, using: &random).0
        let adapter = CategoryAdapter(
            [CategoryPart.count, Self.rank, Self.rank].map { Matrix.normal(rows: 1, columns: $0, deviation: 1, using: &random) }, offset: 2)
        let logits = questions.logits(adapter.parameters.map { .constant($0) }).value
        for user in 0..<3 {
            let adapted = adapter.adapted(questions.users.row(user))
            for item in 0..<Self.items {
                let parts = questions.parts.row(user * Self.items + item)
                let score = parts.withUnsafeBufferPointer {
                    adapter.logit(parts: $0.baseAddress!, adapted: adapted, item: questions.items.row(item))
                }
                #expect(abs(score - 2 - logits[user, item]) < 1e-4)
            }
        }
    }
}

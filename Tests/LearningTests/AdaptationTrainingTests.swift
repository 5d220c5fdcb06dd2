import Console
import Learning
import MetaLearning
import Recommending
import Tensors
import Testing
import TrainingFiles

@Suite("Adaptation is learned from categories that are treated as new")
struct AdaptationTrainingTests {
    private static let pools: Result<[CategoryPool], any Error> = Result {
        let training = CategoryShop.training()
        return try training.pools(training.factorLearning(), rank: 4)
    }

    @Test("a pool has a category's items, and users who took of them and of others")
    func pools() throws {
        let pools = try Self.pools.get(), log = CategoryShop.log
        #expect(Set(pools.map(\.category)) == Set((0..<CategoryShop.categories).map { "c\($0)" }))
        for pool in pools {
            #expect(pool.items.rows == CategoryShop.perCategory && pool.items.columns == 4)
            #expect(pool.users.rows == pool.taken.count && pool.users.rows >= CategoryPool.leastUsers)
            #expect(pool.taken.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0 < CategoryShop.perCategory } })
            let number = try #require(Int(pool.category.dropFirst())), first = number * CategoryShop.perCategory
            let takers = log.userIDs.indices.count { user in
                log.rows(of: user).contains { (first..<first + CategoryShop.perCategory).contains(Int(log.items[$0])) }
            }
            #expect(pool.users.rows <= takers)
        }
    }

    @Test("what is too small, too large or beyond the limit is no pool, and a stop is told")
    func limits() throws {
        let training = CategoryShop.training { $0.metaCategories = 3 }
        #expect(try training.pools(training.factorLearning(), rank: 4).count == 3)
        var one = CategoryShop.log
        one.contents = one.contents.map { _ in CategoryShop.content(kind: 0, category: "all") }
        let whole = CategoryShop.training(one)
        #expect(try whole.pools(whole.factorLearning(), rank: 4).isEmpty, "without it nothing is left to learn from")
        var small = CategoryShop.log
        small.contents = small.contents.indices.map {
            CategoryShop.content(kind: $0 % 2, category: "s\($0 / (CategoryPool.leastItems - 1))")
        }
        let few = CategoryShop.training(small)
        #expect(try few.pools(few.factorLearning(), rank: 4).isEmpty)
        #expect(try few.run(modelItems: small.itemIDs) == nil)
        let stop = StopSignal()
        stop.raise()
        let stopped = CategoryShop.training(stop: stop)
        #expect(throws: CommandFailure.self) { _ = try stopped.pools(stopped.factorLearning(), rank: 4) }
    }

    @Test("one category in four is kept to judge by, and at least one")
    func split() throws {
        let pools = try Self.pools.get(), split = AdaptationTraining.split(pools)
        #expect(split.validation.map(\.category) == [pools[1].category, pools[5].category])
        #expect(split.training.count == pools.count - 2)
        let two = AdaptationTraining.split(Array(pools.prefix(2)))
        #expect(two.training.count == 1 && two.validation.count == 1)
    }

    @Test("a task's queries are other people's, about other items than the support's")
    func tasks() throws {
        let pool = try #require(try Self.pools.get().first)
        var random = SeededGenerator(seed: 3), again = random
        for _ in 0..<20 {
            let (support, query) = pool.questions(support: 4, query: 5, using: &random)
            #expect(support.users.rows == 4 && support.items.rows == pool.items.rows)
            let supportItems = Set((0..<4).compactMap { user in support.answers.row(user).firstIndex { $0 > 0 } })
            #expect(query.items.rows == pool.items.rows - supportItems.count && query.users.rows <= 5 && query.users.rows > 0)
            for user in 0..<query.users.rows { #expect(abs(query.answers.row(user).reduce(0, +) - 1) < 1e-5) }
            // Every support item is like the support, so there likeness is left out; of the others it tells.
            let likeness = CategoryPart.likeness.rawValue
            #expect((0..<support.parts.rows).allSatisfy { support.parts[$0, likeness] == 0 })
            #expect((0..<query.parts.rows).contains { query.parts[$0, likeness] != 0 })
            let same = pool.questions(support: 4, query: 5, using: &again)
            #expect(same.query.answers == query.answers && same.support.parts == support.parts)
        }
    }

    @Test("parameters that know the answer have NDCG 1, and less loss than those that deny it")
    func quality() throws {
        let parts = Matrix(rows: 4, columns: CategoryPart.count, values: (0..<4).flatMap { [Float($0 % 2), 0, 0, 0] })
        let questions = CategoryQuestions(
            parts: parts, users: Matrix(rows: 2, columns: 1), items: Matrix(rows: 2, columns: 1),
            answers: Matrix(rows: 2, columns: 2, values: [0, 1, 0, 1]))
        func quality(_ weight: Float) -> (loss: Double, ndcg: Double) {
            questions.quality(of: [Matrix(row: [weight, 0, 0, 0]), Matrix(rows: 1, columns: 1), Matrix(rows: 1, columns: 1)])
        }
        #expect(quality(5).ndcg == 1 && quality(-5).ndcg < 1 && quality(5).loss < 0.01 && quality(-5).loss > 4)
    }

    @Test("the same log gives the same kit, on the rows of the model that it is for")
    func kit() throws {
        let log = CategoryShop.log, training = CategoryShop.training()
        let ids = Array(log.itemIDs.reversed().dropLast(5))
        let found = try #require(try training.run(modelItems: ids)), again = try #require(try training.run(modelItems: ids))
        #expect(found.kit == again.kit && found.summary == again.summary && found.categories == CategoryShop.categories)
        #expect(found.kit.factors.itemCount == ids.count && found.kit.field == "categories" && found.kit.starts.steps == 1)
        let losses = [found.summary.none, found.summary.fineTune, found.summary.meta]
        #expect(losses.allSatisfy { $0.isFinite && $0 > 0 } && found.summary.fineTune <= found.summary.none)
        let other = try #require(try training.run(modelItems: log.itemIDs))
        #expect(other.kit.factors.user([Int32(log.itemIDs.count - 1)]) == found.kit.factors.user([0]))
    }
}

import Tensors
import Testing
import TowerModel
import TowerTraining

/// Adapters of the user's vector for domains, over vectors drawn by chance and over a trained base.
@Suite struct DomainTests {
    private static let d = 8, items = 60

    /// Items and users by chance; what users take follows the softmax of their vector after `change`.
    private struct Planted {
        var items: Matrix
        var examples = DomainExamples()

        init(count: Int, seed: UInt64, change: ([Float]) -> [Float]) {
            var random = SeededGenerator(seed: 7), own = SeededGenerator(seed: seed)
            let d = DomainTests.d, n = DomainTests.items
            items = Matrix(rows: n, columns: d) { target in for index in target.indices { target[index] = random.normal() } }
            for _ in 0..<count {
                let user = (0..<d).map { $0 == d - 1 ? 1 : own.normal() }, changed = change(user)
                // The largest of scores with Gumbel noise is a draw from their softmax (Yellott 1977).
                var best = -Float.infinity, taken = 0
                for item in 0..<n {
                    let noise = -Kernels.log(-Kernels.log(max(1e-7, min(1 - 1e-7, Float(own.next(below: 1 << 24)) / Float(1 << 24)))))
                    let score = zip(changed, items.values[item * d..<(item + 1) * d]).reduce(noise) { $0 + $1.0 * $1.1 }
                    if score > best { (best, taken) = (score, item) }
                }
                examples.users += user
                examples.targets.append(Int32(taken))
            }
        }
    }

    private static func fit(rank: Int = 2, threads: Int = 1, seed: UInt64 = 1) -> DomainFit {
        var fit = DomainFit()
        (fit.rank, fit.threads, fit.seed) = (rank, threads, seed)
        return fit
    }

    @Test(arguments: [0, 3]) func derivativesAgreeWithDifferences(rank: Int) {
        let planted = Planted(count: 70, seed: 3) { $0 }, fit = Self.fit(rank: rank)
        var random = SeededGenerator(seed: 5)
        let width = DomainAdapters.width(dimension: Self.d, rank: rank)
        let values = (0..<width).map { _ in 0.3 * random.normal() }
        let leavesOut: DomainFit.LeftOut = { user, body in for row in 0..<user % 5 { body(Int32(row * 7 + user % 7)) } }
        let gradient = fit.lossAndGradient(values, planted.examples, items: planted.items, leavingOut: leavesOut).gradient
        #expect(gradient.count == width && gradient.contains { abs($0) > 1e-3 })
        for index in 0..<width {
            func loss(_ delta: Float) -> Double {
                var moved = values
                moved[index] += delta
                return fit.lossAndGradient(moved, planted.examples, items: planted.items, leavingOut: leavesOut).loss
            }
            let difference = (loss(0.01) - loss(-0.01)) / 0.02
            #expect(
                abs(difference - Double(gradient[index])) < 2e-3 * max(1, abs(difference)), "\(index): \(difference) and \(gradient[index])"
            )
        }
    }

    @Test func aPlantedDomainIsFoundAndOneLikeTheRestIsNot() throws {
        // The domain turns one direction of taste round, has a favourite region, and cares less for popularity.
        let change: @Sendable ([Float]) -> [Float] = { user in
            var result = user
            result[0] = -user[0]
            result[1] += 1.5 * user[2]
            result[3] += 1
            result[Self.d - 1] = 0.3
            return result
        }
        let domain = Planted(count: 3_000, seed: 11, change: change), fresh = Planted(count: 1_000, seed: 12, change: change)
        let fit = Self.fit(), found = fit.run(domain.examples, items: domain.items), values = try #require(found.values)
        #expect(found.lossAfter < found.lossBefore - 0.3, "\(found)")
        // On users whom the fit did not see: near what the true change gives.
        let none = [Float](repeating: 0, count: values.count)
        func loss(_ values: [Float], _ examples: DomainExamples) -> Double {
            fit.lossAndGradient(values, examples, items: fresh.items).loss
        }
        var truth = DomainExamples()
        truth.targets = fresh.examples.targets
        for row in 0..<truth.targets.count { truth.users += change(Array(fresh.examples.users[row * Self.d..<(row + 1) * Self.d])) }
        let (before, after, best) = (loss(none, fresh.examples), loss(values, fresh.examples), loss(none, truth))
        #expect(after < best + 0.1 * (before - best), "\(before) \(after) \(best)")
        // A low-rank map is needed for it.
        let small = try #require(Self.fit(rank: 0).run(domain.examples, items: domain.items).values)
        let flat = Self.fit(rank: 0).lossAndGradient(small, fresh.examples, items: fresh.items).loss
        #expect(flat > after + 0.1, "\(flat) \(after)")

        // Nothing is there to be found: no adapter, or one that changes next to nothing.
        let like = Planted(count: 3_000, seed: 13) { $0 }, null = fit.run(like.examples, items: like.items)
        if let values = null.values { #expect(loss(values, like.examples) > loss(none, like.examples) - 0.02) }
        #expect(null.lossAfter <= null.lossBefore && null.lossAfter > null.lossBefore - 0.02, "\(null)")
    }

    @Test func theSameSeedGivesTheSameAdapterWhateverTheThreads() {
        let planted = Planted(count: 700, seed: 2) { $0.map { -$0 } }
        let one = Self.fit().run(planted.examples, items: planted.items)
        #expect(one.values != nil && Self.fit(threads: 3).run(planted.examples, items: planted.items).values == one.values)
        #expect(Self.fit(seed: 2).run(planted.examples, items: planted.items).values != one.values)
        #expect(Self.fit().run(DomainExamples(), items: planted.items).values == nil)
    }

    @Test(arguments: ["pooled", "sequence"]) func aModelAdaptsToTheLastTokenOfTheFieldAndToNothingElse(tower: String) throws {
        let shop = PlantedShop(users: 40)
        var configuration = try PlantedShop.configuration([("epochs", "1"), ("attention_heads", "2")])
        try configuration.set("user_tower", tower)
        let trainer = try Trainer(shop.set, configuration: configuration)
        _ = trainer.runEpoch(now: { 0 })
        let base = trainer.model(), d = base.dimension
        let vectors = base.encodeItems(shop.set.itemContents, rows: shop.set.itemIDs.map { base.row(of: $0) })
        var history = UserSequence(dimension: d, limit: base.historyLength)
        for row in 0..<4 { history.append(vector: Array(vectors.values[row * d..<(row + 1) * d]), type: 1, time: Int64(row)) }
        let width = DomainAdapters.width(dimension: d, rank: 1)
        // The first adds 1 to the first component; the second doubles all; the third is L (R u) with both of ones.
        var values = [Float](repeating: 0, count: 3 * width)
        values[d] = 1
        for index in 0..<d { values[width + index] = 1 }
        for index in 2 * d..<width { values[2 * width + index] = 1 }
        var model = base
        model.domains = try DomainAdapters(tokens: ["land=a", "land=b", "land=c"], dimension: d, rank: 1, values: values)
        func encode(_ model: TwoTowerModel, _ tokens: [String]) -> [Float] { model.encodeUser(history, attributes: tokens, now: 9) }
        for tokens in [[], ["land=x"], ["taste=1"], ["land=a", "land=x"]] { #expect(encode(model, tokens) == encode(base, tokens)) }
        let a = encode(base, ["land=a", "taste=1"]), b = encode(base, ["land=a", "land=b"]), c = encode(base, ["land=c"])
        #expect(encode(model, ["land=a", "taste=1"]) == [a[0] + 1] + a[1...])
        #expect(encode(model, ["land=a", "land=b"]) == b.map { 2 * $0 })
        let sum = c.reduce(0, +)
        #expect(zip(encode(model, ["land=c"]), c).allSatisfy { abs($0 - $1 - sum) < 1e-4 * max(1, abs(sum)) })
        #expect(model.domains?.keeping { $0 == "land=b" }?.values == Array(values[width..<2 * width]))
        #expect(throws: ModelError.self) {
            try DomainAdapters(tokens: ["a=1", "a=1"], dimension: 2, rank: 0, values: [0, 0, 0, 0, 0, 0, 0, 0])
        }
        #expect(throws: ModelError.self) { try DomainAdapters(tokens: ["a=1"], dimension: 2, rank: 0, values: [0, 0, 0, .nan]) }
        #expect(throws: ModelError.self) {
            try DomainAdapters(tokens: ["a=1", "b=1"], dimension: 2, rank: 0, values: [0, 0, 0, 0, 0, 0, 0, 0])
        }
        #expect(throws: ModelError.self) { try DomainAdapters(tokens: ["a=1"], dimension: 2, rank: 1, values: [0, 0, 0, 0]) }
    }
}

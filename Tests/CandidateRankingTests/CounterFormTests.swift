import CandidateRanking
import Evaluation
import Foundation
import Tensors
import Testing

@Suite("A counter as a ranker orders as the rival itself")
struct CounterFormTests {
    /// Sixty users with tastes for thirty items, some more popular than others, none with one twice on a day.
    private static let shop: CountedShop = {
        var random = SeededGenerator(seed: 9), lines: [CountedShop.Line] = []
        for user in 0..<60 {
            for day in 0..<14 {
                let taste = (user % 5) * 6 + random.next(below: 6), item = random.next(below: 3) == 0 ? random.next(below: 12) : taste
                lines.append((user, Int32(item), Double(day * 5) + 0.5, 100))
            }
        }
        return CountedShop(lines: lines, items: 30)
    }()

    private static let sequences = (0..<60).map { user in shop.lines.filter { $0.user == user }.map(\.item) }

    private static func form(_ rival: EvaluationRecord.Contestant, _ words: String, usesTimes: Bool = true) throws -> CounterForm {
        try #require(CounterForm.forms(of: rival, usesTimes: usesTimes).first { $0.words.contains(words) })
    }

    /// The best ten by a ranker with one form, and its scores of all items.
    private static func scores(_ form: CounterForm, _ history: CandidateHistory, _ tables: CandidateTables) -> [Float] {
        let weights = RankerWeights(network: CounterForm.network([form], for: tables), interest: 0, goals: [1])
        let rows = (0..<Int32(tables.itemCount)).map(\.self)
        return CandidateRanker(weights: weights, tables: tables).scores(
            rows, interests: [Float](repeating: 0, count: rows.count), user: CandidateSignals(history, tables: tables))
    }

    private static func topTen(_ scores: [Float]) -> [Int32] { topRows(10, of: scores) }

    /// A history of which no item stands twice.
    private static func distinct(_ user: Int) -> CandidateHistory {
        var rows: [Int32] = []
        for row in sequences[user] where !rows.contains(row) { rows.append(row) }
        return CandidateHistory(
            rows: rows, times: rows.indices.map { Int64($0) * 86_400_000 }, amounts: rows.map { _ in 0 },
            isPurchase: rows.map { _ in true }, now: 70 * 86_400_000)
    }

    @Test("buying again: the user's own times, then what people took of late or ever, as many times as is set")
    func buyAgain() throws {
        let tables = Self.shop.tables(end: 70), end: Int64 = 70 * 86_400_000
        var ever = [Float](repeating: 0, count: 30), late = ever
        for item in 0..<30 {
            let lines = Self.shop.lines.filter { Int($0.item) == item }
            ever[item] = Float(Set(lines.map(\.user)).count)
            late[item] = Float(Set(lines.filter { $0.day > 42 }.map(\.user)).count)
        }
        for user in 0..<60 {
            let history = Self.shop.history(of: user, now: 70)
            let question = RivalQuestion(history: history.rows, times: history.times, now: end)
            let ties = Self.scores(try Self.form(.buyAgain, "times they had it, ties"), history, tables)
            #expect(Self.topTen(ties) == Self.topTen(BuyAgainRival(counts: ever).scores(question)))
            for weight in [0.01, 1, 2] as [Float] {
                let form = try Self.form(.buyAgain, "times they had it, plus \(decimal(Double(weight), places: 2)) times")
                let rival = BuyAgainRival(counts: late, popularity: weight).scores(question)
                #expect(Self.topTen(Self.scores(form, history, tables)) == Self.topTen(rival))
            }
            let fading = BuyAgainRival(counts: late, popularity: 0.6, halfLifeMilliseconds: 60 * 86_400_000).scores(question)
            let form = try Self.form(.buyAgain, "half after 60 days, plus")
            for (own, other) in zip(Self.scores(form, history, tables), fading) { #expect(abs(own - other) < 1e-4) }
        }
    }

    @Test("popularity of all time and of a window, transitions, EASE and neighbours, each behind it what is popular")
    func others() throws {
        let tables = Self.shop.tables(end: 70)
        let popular = Self.scores(try Self.form(.popularity, "ever"), Self.distinct(0), tables)
        let users = (0..<30).map { item in Set(Self.shop.lines.filter { Int($0.item) == item }.map(\.user)).count }
        #expect(Self.topTen(popular) == Self.topTen(PopularityRival(counts: users).scores) && popular.max() == 1)
        let late = (0..<30).map { item in Float(Set(Self.shop.lines.filter { Int($0.item) == item && $0.day > 42 }.map(\.user)).count) }
        let backed = zip(late, users).map { $0 + 1e-3 * Float($1) }
        #expect(Self.topTen(Self.scores(try Self.form(.recentPopularity, "28"), Self.distinct(0), tables)) == Self.topTen(backed))
        let markov = MarkovRival(sequences: Self.sequences, itemCount: 30, window: 10, lastItems: 40, decay: 0.93, reachingPower: 0.2)
        let ease = EASERival(sequences: Self.sequences, itemCount: 30, lambda: 100)
        let neighbours = ItemItemRival(sequences: Self.sequences, itemCount: 30, shrinkage: 5)
        let ordered = Self.shop.tables(end: 70, usesTimes: false)
        for user in 0..<60 {
            let history = Self.distinct(user), rows = history.rows
            func ranked(_ rival: EvaluationRecord.Contestant, _ words: String) throws -> [Int32] {
                Self.topTen(Self.scores(try Self.form(rival, words, usesTimes: false), history, ordered))
            }
            #expect(try ranked(.windowedMarkov, "newest 40") == Self.topTen(markov.scores(history: rows)))
            #expect(try ranked(.ease, "all that they had") == Self.topTen(ease.scores(history: rows)))
            let question = RivalQuestion(history: rows, times: history.times, now: history.now)
            #expect(try ranked(.itemItem, "people") == Self.topTen(neighbours.scores(question)))
        }
        // Who had nothing gets what is popular, of whatever counter.
        let nothing = CandidateHistory(rows: [], times: [], amounts: [], isPurchase: [], now: 0)
        #expect(Self.topTen(Self.scores(try Self.form(.ease, "all"), nothing, tables)) == Self.topTen(popular))
    }

    @Test("without times nothing is counted of days, and every rival but the recent one has a form")
    func withoutTimes() {
        for rival in EvaluationRecord.Contestant.allCases {
            let known = CounterForm.forms(of: rival, usesTimes: true), plain = CounterForm.forms(of: rival, usesTimes: false)
            #expect(known.isEmpty == [.model, .promoted].contains(rival) && known.count <= 16 && plain.count <= known.count)
            #expect(plain.isEmpty == [.model, .promoted, .recentPopularity].contains(rival))
            let tables = Self.shop.tables(usesTimes: false), history = Self.shop.history(of: 1, now: 70)
            for form in plain { #expect(Self.scores(form, history, tables).contains { $0 > 0 }, "\(form.words)") }
            #expect(Set(known.map(\.words)).count == known.count)
        }
    }

    @Test("a counter is read as it was written, and counts people relative to the tables that it has")
    func kept() throws {
        let tables = Self.shop.tables(end: 70), form = try Self.form(.buyAgain, "plus 2")
        let weights = RankerWeights(network: CounterForm.network([form], for: tables), interest: 1e-6, goals: [3])
        let ranker = CandidateRanker(weights: weights, tables: tables)
        let read = try CandidateRanker(encoded: ranker.encoded())
        #expect(read == ranker && read.weights.isCounter)
        #expect(try JSONDecoder().decode(RankerWeights.self, from: JSONEncoder().encode(weights)) == weights)
        // Twice the people: half of the scale, and nothing else.
        var twice = Self.shop
        twice.lines += Self.shop.lines.map { ($0.user + 100, $0.item, $0.day, $0.paid) }
        let more = twice.tables(end: 70), counted = weights.counting(more)
        #expect(counted.network == CounterForm.network([form], for: more) && counted != weights && counted.interest == weights.interest)
        let plain = RankerWeights(
            network: CandidateNetwork(
                scaling: SignalScaling(mean: [0], scale: [1]), hidden: [], goals: 1, parameters: [1]), interest: 1, goals: [1])
        #expect(!plain.isCounter && plain.counting(more) == plain)
        // Files and states of before say nothing of it.
        #expect(!plain.network.encoded().tensors.contains { $0.name.contains("plain") })
        #expect(!String(decoding: try JSONEncoder().encode(plain), as: UTF8.self).contains("plain"))
    }
}

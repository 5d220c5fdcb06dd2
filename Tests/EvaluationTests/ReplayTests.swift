import Evaluation
import Testing

#if canImport(Glibc)
import Glibc
#endif

private typealias Event = ReplayEvents.Event

/// Says the same list to everybody and remembers in which order it was asked and told.
private struct Recorder: ReplayRanker {
    let name = "recorder"
    var list: [Int32]
    var log: Log

    final class Log { var entries: [String] = [] }

    mutating func rank(
        _ count: Int, for user: Int32, past: borrowing ReplayUser, at time: Int64, isExcluded: (Int32) -> Bool
    ) -> [Int32] {
        log.entries.append("ask \(user) at \(time) after \(past.items.count)")
        return list.filter { !isExcluded($0) }
    }

    mutating func learn(_ event: ReplayEvents.Event, past: borrowing ReplayUser) {
        log.entries.append("learn \(event.user):\(event.item) after \(past.items.count)")
    }
}

@Suite struct ReplayTests {
    /// User 0 is warm, user 1 new. Before the start: item 0 twice, item 1 once.
    private let events = ReplayEvents([
        Event(user: 0, item: 2, time: 200), Event(user: 0, item: 0, time: 10), Event(user: 0, item: 3, time: 200),
        Event(user: 2, item: 0, time: 20), Event(user: 1, item: 1, time: 200), Event(user: 2, item: 1, time: 30),
        Event(user: 1, item: 3, time: 300), Event(user: 1, item: 3, time: 400), Event(user: 0, item: 1, time: 500),
    ])

    @Test func asksBeforeItLearnsAndTiesAreOneQuestion() throws {
        let recorder = Recorder(list: [3, 1, 0], log: Recorder.Log())
        var rankers: [any ReplayRanker] = [recorder]
        let plan = Replay.Plan(start: 100) { $0.type == 1 }
        let outcome = try Replay(events, plan: plan, userCount: 3, itemCount: 4).run(&rankers)
        #expect(
            recorder.log.entries == [
                "learn 0:0 after 0", "learn 2:0 after 0", "learn 2:1 after 1",
                "ask 0 at 200 after 1", "ask 1 at 200 after 0", "learn 0:2 after 1", "learn 0:3 after 2", "learn 1:1 after 0",
                "ask 1 at 300 after 1", "learn 1:3 after 1",
                // At 400 the item is one that the user had, which the rule keeps out: asked, and missed.
                "ask 1 at 400 after 2", "learn 1:3 after 2",
                "ask 0 at 500 after 3", "learn 0:1 after 3",
            ])
        #expect(outcome.events == 6 && outcome.questions == 5 && outcome.hiddenGroups == 1)
        #expect(outcome.span == 200...500)
        // User 0: {2, 3} against 3, 1 (0 is excluded): 1/(1 + 1/log2 3); then {1} against 1: 1.
        // User 1: {1} second, {3} first, {3} not at all.
        let zero = (1 / (1 + 1 / log2(3.0)) + 1) / 2, one = (1 / log2(3.0) + 1) / 3
        let result = outcome.results[0]
        #expect(result.perUser[.all] == [zero, one] && result.perUser[.warm] == [zero] && result.perUser[.new] == [one])
        #expect(result.reports[.warm]?.users == 1 && result.reports[.new]?.users == 1)
        #expect(abs((result.reports[.all]?["NDCG@10"] ?? 0) - (zero + one) / 2) < 1e-12)
        #expect(abs(result.perQuestion - (2 * zero + 3 * one) / 5) < 1e-12)
        // Items 0 and 1 were known before the start, 2 and 3 are cold: found of them were 3 of {2, 3}, 3 of {3} and nothing.
        let cold = result.reports[.all]?.slices["cold"]
        #expect(cold?.users == 2)
        #expect(abs((cold?.metrics["Recall@10"]?.mean ?? 0) - 0.5) < 1e-12)
    }

    @Test func theBoundDoesNotCutAnInstantAndHiddenItemsAreNotShown() throws {
        let recorder = Recorder(list: [3, 1, 0], log: Recorder.Log())
        var rankers: [any ReplayRanker] = [recorder]
        let plan = Replay.Plan(start: 100, eventsLimit: 1)
        let outcome = try Replay(events, plan: plan, userCount: 3, itemCount: 4, isHidden: { $0 == 1 }).run(&rankers)
        #expect(outcome.events == 3 && outcome.questions == 2)
        #expect(outcome.results[0].perUser[.new] == [0])
        let none = try Replay(events, plan: Replay.Plan(start: 900), userCount: 3, itemCount: 4).run(&rankers)
        #expect(none.questions == 0 && none.span == nil && none.results[0].reports[.all]?.users == 0)
    }

    @Test func gainsOfOneItemAddUp() throws {
        // One question: item 1 was paid twice, 3 in all, item 2 once, 1. The list has 2 first, 1 third.
        let paid = ReplayEvents([
            Event(user: 0, item: 1, time: 200, gain: 1), Event(user: 0, item: 2, time: 200, gain: 1),
            Event(user: 0, item: 1, time: 200, gain: 2),
        ])
        var rankers: [any ReplayRanker] = [Recorder(list: [2, 0, 1], log: Recorder.Log())]
        let result = try Replay(paid, plan: Replay.Plan(start: 0), userCount: 1, itemCount: 4).run(&rankers).results[0]
        let found = result.reports[.new]?["gNDCG@10"] ?? 0
        #expect(abs(found - (1 + 3 / log2(4.0)) / (3 + 1 / log2(3.0))) < 1e-12)
        #expect(abs((result.reports[.new]?["NDCG@10"] ?? 0) - 1.5 / (1 + 1 / log2(3.0))) < 1e-12)
        // Where nothing is paid there is no such metric.
        let free = try Replay(events, plan: Replay.Plan(start: 100), userCount: 3, itemCount: 4).run(&rankers).results[0]
        #expect(free.reports[.all]?.metrics["gNDCG@10"] == nil)
    }

    @Test func liveRivalsAreTheRivals() throws {
        var state: UInt64 = 5
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        let itemCount = 40, day: Int64 = 86_400_000
        let events = ReplayEvents((0..<3_000).map { _ in
            Event(user: Int32(next(30)), item: Int32(next(itemCount) * next(itemCount) / itemCount), time: Int64(next(400)) * day)
        })
        var popularity = LivePopularity(itemCount: itemCount), markov = LiveMarkov(itemCount: itemCount)
        var recent = LiveRecentPopularity(itemCount: itemCount, halfLifeMilliseconds: 2 * day)
        var rankers: [any ReplayRanker] = [popularity, recent, markov]
        _ = try Replay(events, plan: Replay.Plan(start: .max), userCount: 30, itemCount: itemCount).run(&rankers)
        guard let learned = rankers[2] as? LiveMarkov, let aged = rankers[1] as? LiveRecentPopularity,
            let counted = rankers[0] as? LivePopularity
        else { return #expect(Bool(false), "the rankers keep their kinds") }
        (popularity, recent, markov) = (counted, aged, learned)
        var sequences = [[Int32]](repeating: [], count: 30)
        for event in events.all { sequences[Int(event.user)].append(event.item) }
        let whole = MarkovRival(sequences: sequences, itemCount: itemCount)
        for history in sequences {
            for (live, batch) in zip(markov.scores(history: history[...]), whole.scores(history: history)) {
                #expect(abs(live - batch) < 1e-4)
            }
        }
        let items = events.all.map(\.item), newest = events.all[events.all.count - 1].time
        let past = ReplayUser()
        #expect(
            popularity.rank(10, for: 0, past: past, at: newest) { $0 % 2 == 0 }
                == PopularityRival(items: items, itemCount: itemCount).rank(10, excluding: Set((0..<20).map { 2 * $0 })))
        #expect(
            recent.rank(10, for: 0, past: past, at: newest) { _ in false }
                == RecentPopularityRival(
                    items: items, times: events.all.map(\.time), itemCount: itemCount, now: newest, halfLifeMilliseconds: 2 * day
                ).rank(10))
    }
}

@Suite struct BootstrapTests {
    @Test func intervalOfAMeanIsThatOfItsStandardError() {
        // 400 values of 0 and 1, half and half: standard error 0.025.
        let values = (0..<400).map { Double($0 % 2) }
        let interval = BootstrapInterval(ofMean: values)
        #expect(interval.estimate == 0.5)
        #expect(abs(interval.lower - (0.5 - 1.96 * 0.025)) < 0.006 && abs(interval.upper - (0.5 + 1.96 * 0.025)) < 0.006)
        #expect(interval == BootstrapInterval(ofMean: values))
        #expect(interval != BootstrapInterval(ofMean: values, seed: 2))
    }

    @Test func gainIsPaired() {
        let base = (0..<200).map { Double($0 % 7) / 7 }
        let same = BootstrapInterval(ofGain: base.map { $0 * 1.25 }, over: base)
        #expect(abs(same.estimate - 0.25) < 1e-12 && abs(same.lower - 0.25) < 1e-9 && abs(same.upper - 0.25) < 1e-9)
        let one = BootstrapInterval(ofMean: [3])
        #expect(one.lower == 3 && one.upper == 3)
        #expect(BootstrapInterval(ofMean: []).estimate == 0)
        #expect(BootstrapInterval(ofGain: [1, 1], over: [0, 0]).estimate == 0)
    }
}

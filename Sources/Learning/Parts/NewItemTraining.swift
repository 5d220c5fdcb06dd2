import ContentModel
import Interactions
import TowerModel
import TrainingFiles

/// Learns which share of lists new items are worth, and which items are not new: see ``NewItemShare`` and ``UntakenItems``.
package struct NewItemTraining {
    /// Times that are looked at for where a log begins and ends: one odd time does not decide.
    private static let timesLimit = 20_000, oddShare = 0.002
    /// New items that must have been shown, and takes that must be expected of them, before their reception says anything.
    private static let leastShown = 200, leastExpected = 10.0
    /// An item counts as new for so long after it came, where its reception is measured.
    private static let newMilliseconds: Int64 = 28 * 86_400_000

    private let log: TrainingLog
    /// Of each user, what may be learned from.
    private let rows: [Range<Int>]
    private let counts: [Int]
    private let start, clock: Int64

    /// What may be learned from: of each user some rows.
    package init(log: TrainingLog, rows: [Range<Int>]) {
        self.log = log
        self.rows = rows
        var counts = [Int](repeating: 0, count: log.itemIDs.count)
        for own in rows { for row in own { counts[Int(log.items[row])] += 1 } }
        self.counts = counts
        let step = max(1, counts.reduce(0, +) / Self.timesLimit)
        var times: [Int64] = [], place = 0
        for own in rows {
            for row in own {
                if place.isMultiple(of: step) { times.append(log.times[row]) }
                place += 1
            }
        }
        times.sort()
        let odd = Int(Self.oddShare * Double(times.count))
        start = times.isEmpty ? 0 : times[odd]
        clock = times.isEmpty ? 0 : times[times.count - 1 - odd]
    }

    /// By item whether nobody took it although it had time.
    package var untaken: [Bool] {
        UntakenItems.among(contents: log.contents, counts: counts, arrivals: log.arrivals, start: start, clock: clock)
    }

    /// By item whether it is new: nobody took it, and it had no time yet.
    package var isNew: [Bool] { zip(counts, untaken).map { $0 == 0 && !$1 } }

    /// The share, on the rows of a model; nil where too little was ever taken.
    ///
    /// - Parameters:
    ///   - learning: from the same rows.
    ///   - holdout: says what is not shown again, and when people ask.
    package func share(_ learning: ContentLearning, for model: TwoTowerModel, holdout: HoldoutSettings) -> NewItemShare? {
        NewItemShare(
            learning, itemIDs: log.itemIDs, contents: log.contents, counts: counts, start: start, untaken: untaken, reception: reception,
            questions: questions(model, holdout))
    }

    /// Users, evenly over all: at the end of the log where time tells what is held out, else right after what they did last.
    private func questions(_ model: TwoTowerModel, _ holdout: HoldoutSettings) -> [NewItemShare.Question] {
        let rowOf = log.itemIDs.map { model.row(of: $0).map { Int32($0) } ?? -1 }
        let users = rows.indices.filter { !rows[$0].isEmpty }, limit = min(users.count, NewItemShare.questionsLimit)
        var isTimed = false
        if case .newest = holdout.cut { isTimed = true }
        return (0..<limit).map { place in
            let known = rows[users[place * users.count / limit]]
            let shown = known.suffix(NewItemShare.historyLimitEvents).filter { rowOf[Int(log.items[$0])] >= 0 }
            let asked = isTimed ? max(clock, log.times[known.upperBound - 1]) : log.times[known.upperBound - 1]
            var excluded: [Int32] = [], seen = Set<Int32>()
            for row in known.reversed() where log.keepsOut(row, by: holdout.excludes) {
                guard excluded.count < NewItemShare.excludedLimitItems else { break }
                let item = rowOf[Int(log.items[row])]
                if item >= 0, seen.insert(item).inserted { excluded.append(item) }
            }
            return NewItemShare.Question(
                items: shown.map { rowOf[Int(log.items[$0])] }, types: shown.map { log.types[$0] },
                ages: shown.map { Int32(min(Double(Int32.max), max(0, (Double(asked) - Double(log.times[$0])) / 1_000))) },
                excluded: excluded)
        }
    }

    /// How new items were received where they were shown: of those that had come lately and that nobody had taken yet.
    package var reception: NewItemShare.Reception {
        let shown = log.impressions
        guard shown.count >= Self.leastShown else { return .unknown }
        var first = [Int64](repeating: .max, count: counts.count)
        for own in rows { for row in own { first[Int(log.items[row])] = min(first[Int(log.items[row])], log.times[row]) } }
        var new = (shown: 0, taken: 0), others = new
        for place in 0..<shown.count where shown.outcomes[place] & ImpressionColumns.declined == 0 {
            let item = Int(shown.items[place]), time = shown.times[place]
            let arrival = log.arrivals.isEmpty ? nil : log.arrivals[item]
            let since = max(log.contents[item].publishedAt ?? .min, arrival ?? .min)
            let taken = shown.isTaken(place) ? 1 : 0
            if first[item] >= time, since <= time, Double(time) - Double(since) < Double(Self.newMilliseconds) {
                new = (new.shown + 1, new.taken + taken)
            } else {
                others = (others.shown + 1, others.taken + taken)
            }
        }
        guard new.shown >= Self.leastShown, others.shown >= Self.leastShown else { return .unknown }
        let expected = Double(others.taken) / Double(others.shown) * Double(new.shown)
        guard expected >= Self.leastExpected else { return .unknown }
        return Double(new.taken) < expected / 2 ? .poor : .fair
    }
}

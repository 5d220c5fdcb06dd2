import Console
import Evaluation
import Tensors
import TowerModel
import TowerTraining
import TrainingFiles

/// The second stage of a training: over the shared model, an adapter of the user's vector for each domain with enough interactions, kept
/// where it answers the domain's held-out questions better.
///
/// A domain is a value of the attribute `train.domain_field` of users. Of the adapters of many domains some look better by chance: one is
/// kept where it was asked often enough and the interval of its gain lies above zero, at a level of 1 − 0.05 / domains judged (Bonferroni).
package struct DomainTraining {
    /// Examples of one domain: the newest.
    private static let examplesLimit = 8_000
    /// Items that compete in the loss: those with the most interactions.
    private static let candidatesLimit = 8_192

    private static let leastQuestions = DomainRecord.leastQuestions

    /// What is learned from.
    package let log: TrainingLog
    /// Which domains there are, and how their adapters are learned.
    package let settings: DomainSettings
    /// Threads to compute with.
    package let threads: Int
    /// Ends the fit early.
    package let stop: StopSignal

    /// All of it.
    package init(log: TrainingLog, settings: DomainSettings, threads: Int, stop: StopSignal) {
        self.log = log
        self.settings = settings
        self.threads = threads
        self.stop = stop
    }

    /// A domain that was tried.
    package struct Row {
        /// The domain, as `attribute=value`.
        package var token: String
        /// What it was learned from.
        package var users, interactions: Int
        /// Mean losses on the newest of what was learned from, without and with the adapter; nil where no adapter was better than none.
        package var losses: (before: Double, after: Double)?
        /// Held-out questions of the domain.
        package var asked = 0
        /// NDCG@10 of the towers over these questions, without and with the adapter.
        package var before = 0.0, after = 0.0
        /// The gain with its 95 % interval; nil where nobody was asked.
        package var gain: BootstrapInterval?
        /// Whether the interval lies above 0.
        package var isKept = false
    }

    /// What was found on what was held out.
    package struct Judged {
        /// Adapters of those that are kept; nil where none is.
        package var kept: DomainAdapters?
        /// One a domain that was tried.
        package var rows: [Row]
    }

    /// Fits adapters on each user's rows and judges them on the questions of a holdout.
    ///
    /// - Throws: where the process was asked to stop.
    package func judged(_ base: TwoTowerModel, scoring: HoldoutScoring) throws -> Judged {
        var found = try fitted(on: base, rows: log.userIDs.indices.map { scoring.holdout.trainingRows(of: $0, in: log) })
        guard let adapters = found.adapters else { return Judged(kept: nil, rows: found.rows) }
        var adapted = base, holdout = scoring.holdout
        adapted.domains = adapters
        holdout.questions = holdout.questions.filter { adapters.place(for: log.attributes[$0.user]) != nil }
        let own = HoldoutScoring(log: log, holdout: holdout, excludes: scoring.excludes, threads: threads)
        let before = own.score(base).perUser, after = own.score(adapted).perUser
        var questions = [[Int]](repeating: [], count: adapters.tokens.count)
        for (index, question) in holdout.questions.enumerated() {
            if let place = adapters.place(for: log.attributes[question.user]) { questions[place].append(index) }
        }
        let level = 1 - 0.05 / Double(max(1, questions.count { $0.count >= Self.leastQuestions }))
        for (asked, token) in zip(questions, adapters.tokens) where !asked.isEmpty {
            guard let row = found.rows.firstIndex(where: { $0.token == token }) else { continue }
            let gain = BootstrapInterval(ofMean: asked.map { after[$0] - before[$0] }, level: level)
            found.rows[row].asked = asked.count
            found.rows[row].before = asked.reduce(0) { $0 + before[$1] } / Double(asked.count)
            found.rows[row].after = asked.reduce(0) { $0 + after[$1] } / Double(asked.count)
            found.rows[row].gain = gain
            found.rows[row].isKept = asked.count >= Self.leastQuestions && gain.lower > 0
        }
        let kept = Set(found.rows.filter(\.isKept).map(\.token))
        return Judged(kept: kept.isEmpty ? nil : adapters.keeping(kept.contains), rows: found.rows)
    }

    /// Adapters over a base, fitted on each user's rows; nil where no domain has one.
    ///
    /// - Parameter isWanted: domains to fit; all that are large enough without it.
    /// - Throws: where the process was asked to stop.
    package func fitted(
        on base: TwoTowerModel, rows: [Range<Int>], where isWanted: ((String) -> Bool)? = nil
    ) throws -> (adapters: DomainAdapters?, rows: [Row]) {
        let domains = self.domains(rows, where: isWanted)
        guard !domains.isEmpty else { return (nil, []) }
        let vectors = base.encodeItems(log.contents, rows: log.itemIDs.map { base.row(of: $0) }, threads: threads)
        let candidates = Candidates(counts: counts(rows), limit: Self.candidatesLimit, vectors: vectors)
        var fit = DomainFit()
        fit.rank = settings.rank
        fit.seed = base.configuration.seed
        fit.threads = threads
        var found: [Row] = [], tokens: [String] = [], values: [Float] = []
        let line = ProgressLine("domains")
        for domain in domains {
            guard !stop.isRaised else { throw CommandFailure("stopped; freshet train --resume goes on from there") }
            line.update(share: Double(found.count) / Double(domains.count), note: domain.token)
            let (examples, places) = self.examples(of: domain.users, rows: rows, base: base, vectors: vectors, candidates: candidates)
            let masks = base.configuration.loss.maskHistory
            let result = fit.run(examples, items: candidates.vectors, leavingOut: masks ? { example, body in
                for row in rows[places[example].user].lowerBound..<places[example].row { body(candidates.places[Int(log.items[row])]) }
            } : nil)
            var row = Row(token: domain.token, users: domain.users.count, interactions: domain.interactions)
            if let adapter = result.values {
                row.losses = (result.lossBefore, result.lossAfter)
                tokens.append(domain.token)
                values += adapter
            }
            found.append(row)
        }
        guard !tokens.isEmpty else { return (nil, found) }
        return (try DomainAdapters(tokens: tokens, dimension: base.dimension, rank: fit.rank, values: values), found)
    }

    /// Domains with enough to learn from, the largest first. A user with several values of the field counts for the last.
    private func domains(_ rows: [Range<Int>], where isWanted: ((String) -> Bool)?) -> [(token: String, users: [Int], interactions: Int)] {
        let prefix = settings.field + "="
        var users: [String: [Int]] = [:]
        for user in rows.indices where !rows[user].isEmpty {
            guard let token = log.attributes[user].last(where: { $0.hasPrefix(prefix) }), isWanted?(token) ?? true else { continue }
            users[token, default: []].append(user)
        }
        let least = isWanted == nil ? settings.minimumInteractions : 0
        return users.map { (token: $0.key, users: $0.value, interactions: $0.value.reduce(0) { $0 + rows[$1].count }) }
            .filter { $0.interactions >= least }
            .sorted { ($1.interactions, $0.token) < ($0.interactions, $1.token) }
            .prefix(settings.limit).map { $0 }
    }

    private func counts(_ rows: [Range<Int>]) -> [Int] {
        var counts = [Int](repeating: 0, count: log.itemIDs.count)
        log.items.withUnsafeBufferPointer { items in for own in rows { for row in own { counts[Int(items[row])] += 1 } } }
        return counts
    }

    /// The items that compete in the loss.
    private struct Candidates {
        /// By item row its place among the candidates; −1 for others.
        var places: [Int32]
        /// `[candidates, d]`
        var vectors: Matrix

        init(counts: [Int], limit: Int, vectors all: Matrix) {
            let frequent = counts.indices.filter { counts[$0] > 0 }.sorted { (counts[$1], $0) < (counts[$0], $1) }.prefix(limit).sorted()
            places = [Int32](repeating: -1, count: counts.count)
            for (place, row) in frequent.enumerated() { places[row] = Int32(place) }
            let d = all.columns
            vectors = Matrix(rows: frequent.count, columns: d) { target in
                guard let to = target.baseAddress else { return }
                all.withUnsafePointer { from in
                    for (place, row) in frequent.enumerated() { (to + place * d).update(from: from + row * d, count: d) }
                }
            }
        }
    }

    /// The newest interactions of users with what the base makes of each user before it, oldest first.
    private func examples(
        of users: [Int], rows: [Range<Int>], base: TwoTowerModel, vectors: Matrix, candidates: Candidates
    ) -> (examples: DomainExamples, places: [(user: Int, row: Int)]) {
        // Everybody's newest few, so that no more of a domain is looked at than is used.
        let each = max(4, Self.examplesLimit / max(1, users.count))
        var chosen = users.flatMap { user in rows[user].suffix(each).map { (user: user, row: $0) } }
        chosen.removeAll { candidates.places[Int(log.items[$0.row])] < 0 }
        chosen.sort { (log.times[$0.row], $0.row) < (log.times[$1.row], $1.row) }
        chosen = Array(chosen.suffix(Self.examplesLimit))
        var result = DomainExamples()
        let towers = HoldoutVectors(log: log, model: base, items: vectors, threads: 1)
        for (user, row) in chosen {
            result.users += towers.user(user, known: rows[user].lowerBound..<row, now: log.times[row])
            result.targets.append(candidates.places[Int(log.items[row])])
        }
        return (result, chosen)
    }
}

extension DomainTraining.Judged {
    /// For the registry: a line a domain, those without a gain too.
    package var records: [DomainRecord] {
        rows.map { row in
            var record = DomainRecord(
                domain: row.token, users: row.users, interactions: row.interactions, asked: row.asked, kept: row.isKept,
                adapter: row.losses != nil)
            if let losses = row.losses { (record.loss, record.adaptedLoss) = (losses.before, losses.after) }
            if let gain = row.gain {
                (record.shared, record.adapted) = (row.before, row.after)
                (record.gainLow, record.gainHigh) = (gain.lower, gain.upper)
            }
            return record
        }
    }
}

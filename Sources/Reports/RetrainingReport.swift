import Evaluation
import Foundation
import Interactions

/// What training again on the way of a replay changed, and what it cost.
package struct RetrainingReport {
    /// How the model is brought up to date.
    package enum Kind: String, CaseIterable {
        case full
        case incremental
    }

    /// What the trainings of one ranker took.
    package struct Cost {
        /// How models are brought up to date.
        package var kind: Kind
        /// The ranker's name in the replay.
        package var name: String
        /// Trainings.
        package var slices: Int
        /// Events that were learned for the first time, and again.
        package var newEvents, replayedEvents: Int
        /// Processor seconds of all trainings alone; and with ranking tables, content channel and catalogue.
        package var trainingSeconds, allSeconds: Double

        /// All of it.
        package init(
            kind: Kind, name: String, slices: Int, newEvents: Int, replayedEvents: Int, trainingSeconds: Double, allSeconds: Double
        ) {
            self.kind = kind
            self.name = name
            self.slices = slices
            self.newEvents = newEvents
            self.replayedEvents = replayedEvents
            self.trainingSeconds = trainingSeconds
            self.allSeconds = allSeconds
        }
    }

    /// One way of training again.
    package struct Entry {
        /// How models are brought up to date.
        package var kind: Kind
        /// NDCG@10 over the replay.
        package var ndcg: Double
        /// Trainings on the way.
        package var slices: Int
        /// Events that these learned for the first time, and again.
        package var newEvents, replayedEvents: Int
        /// Processor seconds of all trainings alone; and with ranking tables, content channel and catalogue.
        package var trainingSeconds, allSeconds: Double
        /// Gain in NDCG@10 over the model as it was, over all users.
        package var overStale: BootstrapInterval
    }

    /// Milliseconds between trainings.
    package let every: Int64
    /// One a way of retraining.
    package let entries: [Entry]
    /// NDCG@10 of incremental over full, minus 1, by audience; empty unless both ran.
    package let incrementalOverFull: [Replay.Audience: BootstrapInterval]

    /// Sets what each way achieved beside what it cost.
    package init(_ outcome: Replay.Outcome, retrained: [Cost], every: Int64) {
        self.every = every
        func perUser(_ name: String, _ audience: Replay.Audience = .all) -> [Double] {
            outcome.results.first { $0.name == name }?.perUser[audience] ?? []
        }
        let stale = perUser("freshet")
        entries = retrained.map { cost in
            let own = perUser(cost.name)
            return Entry(
                kind: cost.kind, ndcg: own.isEmpty ? 0 : own.reduce(0, +) / Double(own.count), slices: cost.slices,
                newEvents: cost.newEvents, replayedEvents: cost.replayedEvents, trainingSeconds: cost.trainingSeconds,
                allSeconds: cost.allSeconds, overStale: BootstrapInterval(ofGain: own, over: stale))
        }
        var found: [Replay.Audience: BootstrapInterval] = [:]
        if let full = retrained.first(where: { $0.kind == .full }), let incremental = retrained.first(where: { $0.kind == .incremental }) {
            for audience in Replay.Audience.allCases {
                let (own, base) = (perUser(incremental.name, audience), perUser(full.name, audience))
                if !own.isEmpty { found[audience] = BootstrapInterval(ofGain: own, over: base) }
            }
        }
        incrementalOverFull = found
    }

    /// Incremental's processor seconds as a share of full's: trainings alone, and with everything. Nil unless both ran.
    package var costShares: (training: Double, all: Double)? {
        guard let full = entries.first(where: { $0.kind == .full }), let own = entries.first(where: { $0.kind == .incremental }),
            full.trainingSeconds > 0, full.allSeconds > 0
        else { return nil }
        return (own.trainingSeconds / full.trainingSeconds, own.allSeconds / full.allSeconds)
    }

    /// One object.
    package var json: String {
        var line = ResultLine(["every_ms": .integer(Int(every))])
        for entry in entries {
            line.add(
                entry.kind.rawValue,
                .json(
                    ResultLine([
                        "NDCG@10": .number(entry.ndcg), "slices": .integer(entry.slices), "new_events": .integer(entry.newEvents),
                        "replayed_events": .integer(entry.replayedEvents), "training_cpu_seconds": .number(entry.trainingSeconds),
                        "cpu_seconds": .number(entry.allSeconds), "over_stale": .number(entry.overStale.estimate),
                        "over_stale_low": .number(entry.overStale.lower), "over_stale_high": .number(entry.overStale.upper),
                    ]).json))
        }
        for (audience, gain) in incrementalOverFull.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            line.add(
                "incremental_over_full_\(audience.rawValue)",
                .json(ResultLine(["gain": .number(gain.estimate), "low": .number(gain.lower), "high": .number(gain.upper)]).json))
        }
        if let costShares {
            line.add("training_cost_share", .number(costShares.training))
            line.add("cost_share", .number(costShares.all))
        }
        return line.json
    }

    /// For people, a line an entry.
    package var lines: [String] {
        var lines = entries.map { entry in
            String(
                format: "%@: %d trainings, %d new and %d replayed events, %.2f processor seconds in training and %.2f with tables and "
                    + "catalogue; NDCG@10 %+.1f %% from the model as it was (95 %%: %+.1f to %+.1f %%)",
                entry.kind.rawValue, entry.slices, entry.newEvents, entry.replayedEvents, entry.trainingSeconds, entry.allSeconds,
                100 * entry.overStale.estimate, 100 * entry.overStale.lower, 100 * entry.overStale.upper)
        }
        for audience in Replay.Audience.allCases {
            guard let gain = incrementalOverFull[audience] else { continue }
            lines.append(
                String(
                    format: "incremental against full, %@ users: NDCG@10 at %.1f %% (95 %%: %.1f to %.1f %%)", audience.rawValue,
                    100 * (1 + gain.estimate), 100 * (1 + gain.lower), 100 * (1 + gain.upper)))
        }
        if let costShares {
            lines.append(
                String(
                    format: "incremental takes %.1f %% of full's processor seconds in training, %.1f %% with everything",
                    100 * costShares.training, 100 * costShares.all))
        }
        return lines
    }
}

import Evaluation
import Interactions
import TrainingFiles

extension HoldoutScoring {
    /// The metric that the gate compares, as it stands in reports.
    package static let gateMetric = "NDCG@10"

    /// A hash of each question: of all that makes it one. Two trainings ask the same question where user, time, what was known and what was
    /// to be found are the same. What rules keep out is the answer's concern; questions of before, which they had cut, have other hashes.
    package var questionHashes: [UInt64] {
        return holdout.questions.map { question in
            var hash = PayloadHash()
            var bytes: [UInt8] = [0xFE]
            func add(_ number: Int64) { withUnsafeBytes(of: number.littleEndian) { bytes += $0 } }
            add(question.time)
            add(Int64(question.known.count))
            add(Int64(question.truth.count))
            bytes.withUnsafeBytes { hash.combine($0) }
            // Rows differ between trainings, ids do not.
            for id in [log.userIDs[question.user]] + question.truth.map({ log.itemIDs[Int($0)] }).sorted() {
                var id = id
                id.withUTF8 { hash.combine(UnsafeRawBufferPointer($0)) }
            }
            return hash.value
        }
    }

    /// What a model answered, as the registry keeps it; nil where nothing was asked.
    package func recorded(_ outcome: Outcome) -> RecordedAnswers? {
        guard !outcome.perUser.isEmpty, outcome.perUser.count == holdout.questions.count else { return nil }
        return RecordedAnswers(metric: Self.gateMetric, questions: questionHashes, values: outcome.perUser)
    }
}

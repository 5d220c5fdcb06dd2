import Tensors
import TowerTraining
import TrainingFiles

/// Some of a log's items treated as if they were to arrive later, and a tenth of every user's other interactions held back: what a
/// model may learn from, and what it is asked.
package struct ColdCut {
    /// One user's question.
    package struct Question {
        /// A user row of the log.
        package var user: Int
        /// New items that the user took.
        package var new: [Int32]
        /// Other items that were held back.
        package var old: [Int32]
    }

    /// One in so many interactions with items that stay is held back.
    package static let heldBack = 10

    /// The log without them. The rows of items are those of the whole log.
    package let log: TrainingLog
    /// By item row, what is treated as new.
    package let isNew: [Bool]
    /// Who took new items, and which.
    package let questions: [Question]

    /// - Parameters:
    ///   - percent: of the items with interactions; newest: those published last, instead of random ones.
    ///   - links: attributes whose values are item ids; those of new items are taken out of the others' contents.
    package init(_ whole: TrainingLog, percent: Double, newest: Bool, seed: UInt64, links: [String]) {
        var random = SeededGenerator(seed: seed, stream: 0x636f_6c64)
        var counts = [Int](repeating: 0, count: whole.itemIDs.count)
        for row in 0..<whole.count { counts[Int(whole.items[row])] += 1 }
        var met = counts.indices.filter { counts[$0] > 0 }
        random.shuffle(&met)
        if newest { met.sort { (whole.contents[$0].publishedAt ?? .min, $0) > (whole.contents[$1].publishedAt ?? .min, $1) } }
        var isNew = [Bool](repeating: false, count: counts.count)
        for item in met.prefix(Int((Double(met.count) * percent / 100).rounded())) { isNew[item] = true }
        self.isNew = isNew

        var starts = [0], items: [Int32] = [], types: [UInt8] = [], times: [Int64] = [], amounts: [Int64] = []
        var questions: [Question] = []
        for user in whole.userIDs.indices {
            var question = Question(user: user, new: [], old: []), kept = Set<Int32>()
            for row in whole.rows(of: user) {
                let item = whole.items[row]
                if isNew[Int(item)] {
                    if !question.new.contains(item) { question.new.append(item) }
                } else if random.next(below: Self.heldBack) == 0 {
                    if !question.old.contains(item) { question.old.append(item) }
                } else {
                    kept.insert(item)
                    items.append(item)
                    types.append(whole.types[row])
                    times.append(whole.times[row])
                    amounts.append(whole.amounts[row])
                }
            }
            starts.append(items.count)
            question.old.removeAll { kept.contains($0) }
            if !kept.isEmpty, !question.new.isEmpty { questions.append(question) }
        }
        self.questions = questions
        var log = whole
        // They come when the log has ended, whatever is known of them.
        log.arrivals = isNew.indices.map { isNew[$0] ? .max : whole.arrivals.isEmpty ? nil : whole.arrivals[$0] }
        log.userStarts = starts
        log.items = Column(items)
        log.types = Column(types)
        log.times = Column(times)
        log.amounts = Column(amounts)
        let hidden = Set(links.flatMap { key in isNew.indices.filter { isNew[$0] }.map { key + "=" + whole.itemIDs[$0] } })
        for item in log.contents.indices where !isNew[item] && !hidden.isEmpty {
            log.contents[item].attributes.removeAll { hidden.contains($0) }
        }
        self.log = log
    }
}

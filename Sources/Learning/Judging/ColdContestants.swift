import ContentModel
import Tensors
import TowerModel
import TrainingFiles

/// What ranks new items in an item-cold evaluation: the channel and its rivals, on the same items.
package struct ColdContestants {
    /// Who ranks new items.
    package enum Key: String, CaseIterable {
        /// Content channel and towers, as served.
        case freshet
        /// The item tower by content alone, trained with ids left out at random (Volkovs et al. 2017).
        case towers
        /// The cosine between the user's summed history and the item, over the channel's tokens.
        case cosine
        /// The same with the average user's taste taken off and expected popularity added, weighed as the channel is.
        case fittedCosine = "fitted_cosine"
        /// The mean vector of the trained items of the item's categories.
        case category
        /// Popularity as the content predicts it: the same list for all.
        case popularity
        /// Longest description first: what an artefact of the data gives.
        case length
    }

    /// Which items are new, and who is asked.
    package let cut: ColdCut
    /// What content says, learned without the new items.
    package let channel: ContentChannel
    private let sparseWeights: [Float]
    /// Rows of the new items.
    package let newRows: [Int32]
    private let model: TwoTowerModel
    private let learning: ContentLearning
    private let threads: Int
    /// `[all items, dimension]`: trained rows by id, new ones by content.
    private let vectors: Matrix
    private let level: [Float]
    private let items: [ContentChannel.Item]
    private let lengths: [Float]
    /// `[new items, dimension]`
    private let categories: Matrix

    /// Prepares every contestant; none of them has seen an interaction with a new item.
    package init(cut: ColdCut, model: TwoTowerModel, channel: ContentChannel, sparseWeights: [Float], learning: ContentLearning, threads: Int) {
        self.cut = cut
        self.model = model
        self.channel = channel
        self.sparseWeights = sparseWeights
        self.learning = learning
        self.threads = threads
        let log = cut.log, d = model.dimension
        newRows = cut.isNew.indices.filter { cut.isNew[$0] }.map { Int32($0) }
        vectors = model.encodeItems(log.contents, rows: log.itemIDs.map { model.row(of: $0) }, threads: threads)
        let rowOf = Dictionary(log.itemIDs.enumerated().map { ($1, $0) }) { first, _ in first }
        items = newRows.map { row in
            let content = log.contents[Int(row)]
            return channel.item(
                content, own: learning.vectors[Int(row)],
                linked: channel.links(of: content).compactMap { rowOf[$0].map { learning.vectors[$0] } })
        }
        lengths = newRows.map { Float(log.contents[Int($0)].description?.utf8.count ?? 0) }
        var sums: [String: (sum: [Float], count: Float)] = [:], all = (sum: [Float](repeating: 0, count: d), count: Float(0))
        for row in log.itemIDs.indices where model.row(of: log.itemIDs[row]) != nil {
            let vector = vectors.row(row)
            for place in 0..<d { all.sum[place] += vector[place] }
            all.count += 1
            for category in log.contents[row].categories {
                var entry = sums[category] ?? (sum: [Float](repeating: 0, count: d), count: 0)
                for place in 0..<d { entry.sum[place] += vector[place] }
                entry.count += 1
                sums[category] = entry
            }
        }
        level = all.sum.map { $0 / max(1, all.count) }
        var means: [Float] = []
        for row in newRows {
            let known = log.contents[Int(row)].categories.compactMap { sums[$0] }
            var mean = known.isEmpty ? level : [Float](repeating: 0, count: d)
            for entry in known { for place in 0..<d { mean[place] += entry.sum[place] / entry.count / Float(known.count) } }
            means += mean
        }
        categories = Matrix(rows: newRows.count, columns: d, values: means)
    }

    /// Scores for a question: of the new items by contestant, and of all items as served; what the user has is −∞ there.
    package func scores(_ question: ColdCut.Question) -> (new: [Key: [Float]], all: [Float]) {
        let log = cut.log, rows = log.rows(of: question.user)
        let user = HoldoutVectors(log: log, model: model, items: vectors, threads: threads).user(
            question.user, known: rows, now: rows.last.map { log.times[$0] } ?? 0)
        var all = model.scores(of: user, items: vectors, threads: threads)
        let own = zip(user, level).reduce(Float(0)) { $0 + $1.0 * $1.1 }
        let profile = learning.profile(rows.lazy.map { Int(log.items[$0]) })
        var new: [Key: [Float]] = [:]
        new[.towers] = newRows.map { all[Int($0)] }
        new[.freshet] = zip(newRows, items).map { channel.score($1, profile: profile, tower: all[Int($0)], level: own) }
        var cosine = channel
        cosine.weights = ContentChannel.Part.allCases.map { $0 == .similarity ? 1 : 0 }
        new[.cosine] = items.map { cosine.score($0, profile: profile, tower: 0, level: 0) }
        cosine.weights = sparseWeights
        new[.fittedCosine] = items.map { cosine.score($0, profile: profile, tower: 0, level: 0) }
        new[.category] = model.scores(of: user, items: categories, threads: threads)
        new[.popularity] = items.map(\.popularity)
        new[.length] = lengths
        for (place, row) in newRows.enumerated() { all[Int(row)] = new[.freshet]?[place] ?? 0 }
        for row in log.itemIDs.indices where !cut.isNew[row] && model.row(of: log.itemIDs[row]) == nil { all[row] = -.infinity }
        for row in rows { all[Int(log.items[row])] = -.infinity }
        return (new, all)
    }
}

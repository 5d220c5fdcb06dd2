import ContentModel
import Evaluation
import Recommending
import Tensors
import TowerModel
import TrainingFiles

/// What ranks new items in an item-cold evaluation: the model as it serves and its rivals, on the same items.
package struct ColdContestants {
    /// Who ranks new items.
    package enum Key: String, CaseIterable {
        /// The bundle's snapshot: what a service with this model would answer.
        case freshet
        /// The item tower by content alone, trained with ids left out at random (Volkovs et al. 2017).
        case towers
        /// The cosine between the user's summed history and the item, over the channel's tokens: ``ContentCosine``.
        case cosine
        /// The same weighed by the popularity that such content has.
        case popularCosine = "cosine_popularity"
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
    /// Rows of the new items.
    package let newRows: [Int32]
    private let model: TwoTowerModel
    private let channel: ContentChannel
    private let sparseWeights: [Float]
    private let learning: ContentLearning
    private let threads: Int
    private let served: ServedLists
    /// Among the new items, and among those with the trained ones.
    private let amongNew, amongAll: BatchRecommender
    /// `[all items, dimension]`: trained rows by id, new ones by content.
    private let vectors: Matrix
    private let items: [ContentChannel.Item]
    private let rivals: ContentCosine
    private let lengths: [Float]
    /// `[new items, dimension]`
    private let categories: Matrix

    /// Prepares every contestant; none of them has seen an interaction with a new item.
    ///
    /// Items that nobody ever took are no candidates of the lists of new and old together: nobody is asked for them, so a place that they
    /// take says nothing of the share of new items.
    ///
    /// - Parameters:
    ///   - bundle: learned from the cut's log.
    ///   - sparseWeights: those of ``Key/fittedCosine``.
    ///   - learning: what the rivals know of contents, from what the model learned from.
    ///   - settings: how models answer.
    package init(
        cut: ColdCut, bundle: ModelBundle, sparseWeights: [Float], learning: ContentLearning, settings: LearningSettings, threads: Int
    ) {
        self.cut = cut
        self.learning = learning
        self.threads = threads
        model = bundle.model
        channel = learning.channel
        self.sparseWeights = sparseWeights
        let log = cut.log, new = cut.isNew.indices.filter { cut.isNew[$0] }.map { Int32($0) }
        newRows = new
        let catalogue = log.servedCatalogue(
            of: bundle, trendingAfter: log.userIDs.indices.map { log.rows(of: $0) }, settings: settings.blend, threads: threads)
        let snapshot = bundle.snapshot(over: catalogue, version: 1, settings: settings.served)
        served = ServedLists(
            log, excludes: settings.holdout.exclusion(of: bundle), historyLimit: settings.blend.historyLimitEvents)
        amongNew = BatchRecommender(snapshot: snapshot, candidates: new.map { log.itemIDs[Int($0)] })
        amongAll = BatchRecommender(
            snapshot: snapshot,
            candidates: log.itemIDs.indices.filter { cut.isNew[$0] || bundle.isTrained(log.itemIDs[$0]) }.map { log.itemIDs[$0] })
        vectors = Matrix(rows: log.itemIDs.count, columns: model.dimension, values: catalogue.vectors)
        let rowOf = Dictionary(log.itemIDs.enumerated().map { ($1, $0) }) { first, _ in first }
        items = new.map { row in
            let content = log.contents[Int(row)]
            return learning.channel.item(
                content, own: learning.vectors[Int(row)],
                linked: learning.channel.links(of: content).compactMap { rowOf[$0].map { learning.vectors[$0] } })
        }
        rivals = ContentCosine(learning, items: items)
        lengths = new.map { Float(log.contents[Int($0)].description?.utf8.count ?? 0) }
        categories = Self.categories(of: new, log: log, model: model, vectors: vectors)
    }

    /// The mean vector of the trained items of each item's categories; of all trained items where no category has one.
    private static func categories(of new: [Int32], log: TrainingLog, model: TwoTowerModel, vectors: Matrix) -> Matrix {
        let d = model.dimension
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
        let level = all.sum.map { $0 / max(1, all.count) }
        var means: [Float] = []
        for row in new {
            let known = log.contents[Int(row)].categories.compactMap { sums[$0] }
            var mean = known.isEmpty ? level : [Float](repeating: 0, count: d)
            for entry in known { for place in 0..<d { mean[place] += entry.sum[place] / entry.count / Float(known.count) } }
            means += mean
        }
        return Matrix(rows: new.count, columns: d, values: means)
    }

    /// The first `count` new items for a question, by contestant.
    package func lists(_ count: Int, of question: ColdCut.Question) -> [Key: [Int32]] {
        var lists: [Key: [Int32]] = [:]
        for (key, scores) in scores(question) {
            lists[key] = topRows(count, of: scores, excluding: { cut.log.isHidden[Int(newRows[Int($0)])] }).map { newRows[Int($0)] }
        }
        lists[.freshet] = list(count, of: question, by: amongNew)
        return lists
    }

    /// The first `count` items for a question as served, of new and trained ones.
    package func mixed(_ count: Int, of question: ColdCut.Question) -> [Int32] { list(count, of: question, by: amongAll) }

    private func list(_ count: Int, of question: ColdCut.Question, by recommender: BatchRecommender) -> [Int32] {
        let rows = cut.log.rows(of: question.user)
        return served.list(count, of: question.user, known: rows, at: time(rows), by: recommender)
    }

    private func time(_ rows: Range<Int>) -> Int64 { rows.last.map { cut.log.times[$0] } ?? 0 }

    /// What the rivals give the new items.
    private func scores(_ question: ColdCut.Question) -> [Key: [Float]] {
        let log = cut.log, rows = log.rows(of: question.user)
        let user = HoldoutVectors(log: log, model: model, items: vectors, threads: threads)
            .user(question.user, known: rows, now: time(rows))
        let all = model.scores(of: user, items: vectors, threads: threads)
        let profile = learning.profile(rows.lazy.map { Int(log.items[$0]) })
        var new: [Key: [Float]] = [:]
        new[.towers] = newRows.map { all[Int($0)] }
        let cosines = rivals.cosines(rows.map { Int(log.items[$0]) }, ContentCosine.plain[0])
        new[.cosine] = cosines
        new[.popularCosine] = rivals.scores(cosines, ContentCosine.weighed[0])
        var cosine = channel
        cosine.weights = sparseWeights
        new[.fittedCosine] = items.map { cosine.score($0, profile: profile, tower: 0, level: 0) }
        new[.category] = model.scores(of: user, items: categories, threads: threads)
        new[.popularity] = rivals.popularity
        new[.length] = lengths
        return new
    }
}

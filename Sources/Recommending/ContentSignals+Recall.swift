import ContentModel
import Features
import Interactions
import Tensors

/// Which new items fit a user.
extension ContentSignals {
    /// The best scores of new items for a history under another channel, best first; no adapter is asked.
    func bestNew(_ count: Int, _ channel: ContentChannel, history: [Int32], level: Float) -> [Float] {
        let profile = channel.profile(history.lazy.compactMap { self.vector($0) }, taste: sum(history))
        var top = TopRows(limit: count)
        if let recall {
            let rows = recall.candidates(count, profile: profile, user: nil, admissible: presentCount) { row in
                isPresent(row) && !isAdapted(row)
            }
            withScorer(Taste(profile: profile, level: level), under: channel) { scorer in
                for row in rows { if let score = scorer.plain(row, tower: 0) { top.offer(row, score) } }
            }
            return top.sorted().map(\.score)
        }
        scanned.forEachScore(Self.scannedLimitItems, channel, profile: profile, level: level) { row, score in
            if top.wouldKeep(score), !isUntaken(row), !isAdapted(row) { top.offer(row, score) }
        }
        return top.sorted().map(\.score)
    }

    /// The rows without training that fit best by content, at most `count`.
    ///
    /// - Parameters:
    ///   - tower: the towers' inner product of a row; asked where there is an index alone.
    func best(
        _ count: Int, taste: Taste, among filter: RowFilter, tower: (Int32) -> Float
    ) -> [Int32] {
        var top = TopRows(limit: count)
        let ofTower = recall == nil ? 0 : channel.weights[ContentChannel.Part.tower.rawValue]
        scanned.forEachScore(Self.scannedLimitItems, channel, profile: taste.profile, level: taste.level) { row, plain in
            let hasAdapter = isAdapted(row)
            var score = plain
            if hasAdapter, let own = adaptedScore(row, taste: taste) {
                score = own
            } else if ofTower != 0 {
                score += ofTower * tower(row)
            }
            if top.wouldKeep(score), hasAdapter || !isUntaken(row), filter.admits(row) { top.offer(row, score) }
        }
        guard let recall else { return top.sorted().map(\.row) }
        let rows = filter.few?.filter { scores($0) && !isUntaken($0) && !scanned.contains($0) }
            ?? recall.candidates(
                count, profile: taste.profile, user: taste.user, admissible: min(presentCount, filter.admissible)
            ) { row in filter.admits(row) && !scanned.contains(row) && !isUntaken(row) }
        withScorer(taste) { scorer in
            for row in rows { if let score = scorer.plain(row, tower: taste.user == nil ? 0 : tower(row)) { top.offer(row, score) } }
        }
        return top.sorted().map(\.row)
    }
}

extension ServingSnapshot {
    /// What a list of fifty looks at, and of how many of the best it is measured whether they are found.
    private static let recalledItems = 200, measuredItems = 100
    /// Items of which the directions of a projection are learned.
    private static let sampleItems = 20_000
    /// Scores that are computed at most to see what the index finds.
    private static let measuredScores = 20_000_000
    private static let measuredUsers = 10...100
    /// Multiples of what is wanted that are tried, and the share of the best that is enough.
    private static let depths = [1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 16], plannedDepth = 3, goal = 0.97
    /// Components of a projection that are tried.
    private static let dimensions = [64, 128, 192, 256]

    /// The same snapshot, which finds new items by an index of their contents where there are many.
    ///
    /// - Parameters:
    ///   - leastItems: fewer are compared one by one.
    ///   - make: builds an index. What it throws is thrown on.
    /// - Complexity: O(new items · (tokens + components) · dimension)
    public func indexingNewItems(
        from leastItems: Int = ContentSignals.indexedFromItems, threads: Int = 1,
        make: (ContentIndexInput) throws -> any CandidateIndex
    ) rethrows -> ServingSnapshot {
        guard let content, let model else { return self }
        let rows = content.recallableRows
        guard rows.count >= max(leastItems, 1) else { return self }
        let asked = recallTastes()
        let lengths = asked.compactMap(\.user).map { user in user.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot() }
        let projection = projection(
            rows, content, asked, towerDimension: model.dimension,
            userLength: lengths.isEmpty ? 1 : lengths.reduce(0, +) / Float(lengths.count), threads: threads)
        let packed = projected(rows, content, projection, threads: threads)
        let index = try make(
            ContentIndexInput(
                vectors: packed, dimension: projection.dimension,
                queries: asked.flatMap { projection.query($0.profile, user: $0.user ?? []) }, count: 4 * Self.recalledItems))
        let best = exactBest(rows, content, asked, threads: threads)
        func recall(_ depth: Double, _ measured: Double?) -> ContentRecall {
            ContentRecall(projection: projection, index: index, rows: rows, depth: depth, measured: measured)
        }
        var depth = Self.depths[3], measured: Double?
        for tried in best.isEmpty ? [] : Self.depths {
            depth = tried
            let recall = recall(tried, nil)
            let share = zip(asked, best).reduce(0.0) { sum, next in
                let found = Set(
                    recall.candidates(Self.recalledItems, profile: next.0.profile, user: next.0.user, admissible: rows.count) { _ in true })
                return sum + Double(next.1.count(where: found.contains)) / Double(max(1, next.1.count))
            } / Double(best.count)
            measured = share
            if share >= Self.goal { break }
        }
        var next = self
        next.content?.recalling(recall(depth, measured))
        if content.channel.share != nil { next.shareAnew() }
        return next
    }

    /// What the index of new items holds and finds: items in it and beside it, components of a vector, how many are taken for each that
    /// is wanted, and the share of the best that is found; nil without one.
    public var contentIndex: (indexed: Int, later: Int, dimension: Int, depth: Double, recall: Double?)? {
        content?.recall.map { ($0.counts.indexed, $0.counts.later, $0.dimension, $0.depth, $0.measured) }
    }

    /// Whether there are more new items than are compared one by one, and no index of their contents.
    var lacksContentIndex: Bool { content.map { $0.recall == nil && $0.presentCount > ContentSignals.scannedLimitItems } ?? false }

    /// Of the best new items for some users, as comparing all of them has it, the share that a request looks at.
    package func newItemsFound(for histories: [UserHistory], threads: Int = 1) -> Double {
        guard let content else { return 1 }
        let filter = RowFilter(catalogue, category: nil)
        let tastes = histories.compactMap { history in
            UserTaste(history: history, attributes: nil, context: [:], snapshot: self, now: EventTime(milliseconds: 0)).content
        }
        let best = exactBest(content.recallableRows, content, tastes, threads: threads)
        let shares = zip(tastes, best).map { taste, best in
            let found = (taste.user ?? []).withUnsafeBufferPointer { user in
                Set(content.best(Self.recalledItems, taste: taste, among: filter) { row in
                    user.baseAddress.flatMap { vectors.score(row, $0) } ?? 0
                })
            }
            return Double(best.count(where: found.contains)) / Double(max(1, best.count))
        }
        return shares.reduce(0, +) / Double(max(1, shares.count))
    }

    /// Of the twenty items whose contents are nearest to some items', the share that a list of similar ones finds.
    package func similarContentsFound(for itemIDs: [String]) -> Double {
        guard let content else { return 1 }
        let shares = itemIDs.compactMap { catalogue.row(of: $0) }.map { row -> Double in
            guard let own = content.vector(row) else { return 1 }
            var top = TopRows(limit: 20)
            for other in 0..<Int32(catalogue.count) where other != row {
                if let vector = content.vector(other) { top.offer(other, ContentNeighbours.cosine(own, vector)) }
            }
            let best = top.sorted().filter { $0.score > 0 }.map(\.row), found = Set(
                content.nearest(20, to: row) { $0 != row }.map(\.row))
            return Double(best.count(where: found.contains)) / Double(max(1, best.count))
        }
        return shares.reduce(0, +) / Double(max(1, shares.count))
    }

    /// Users of the model whom the index is measured with.
    private func recallTastes() -> [ContentSignals.Taste] {
        let questions = content?.questions ?? []
        let step = max(1, questions.count / Self.measuredUsers.upperBound)
        return stride(from: 0, to: questions.count, by: step).compactMap { place in
            guard let taste = taste(of: questions[place]).content, taste.profile != nil else { return nil }
            return taste
        }
    }

    /// The shortest projection of some lengths under which a sample of the rows is found as it should be, else the longest.
    private func projection(
        _ rows: [Int32], _ content: ContentSignals, _ users: [ContentSignals.Taste], towerDimension: Int, userLength: Float, threads: Int
    ) -> ContentProjection {
        // By chance: items that come in turns of many kinds would leave a stride without some of them. What is learned of one sample is
        // judged on another: directions suit those that they are learned of too well.
        var random = SeededGenerator(seed: 1, stream: 0x7361_6d70)
        let share = Double(Self.sampleItems) / Double(rows.count)
        var learned: [Int32] = [], sample: [Int32] = []
        for row in rows {
            let drawn = Double.random(in: 0..<1, using: &random)
            if drawn < share { learned.append(row) }
            if share >= 0.5 || drawn >= share && drawn < 2 * share { sample.append(row) }
        }
        let sources = learned.compactMap { row in
            content.item(row).map { ContentProjection.Source(item: $0, tower: vectors.vector(row) ?? []) }
        }
        // The sample is thinner than all rows: its best few are as far apart as the best many of all.
        let wanted = max(2, Self.measuredItems * sample.count / rows.count), best = exactBest(
            sample, content, users, of: wanted, threads: threads)
        let taken = Self.recalledItems * Self.plannedDepth / Self.measuredItems
        var found: ContentProjection?
        for dimension in Self.dimensions {
            let projection = ContentProjection(
                content.channel, sample: sources, towerDimension: towerDimension, userLength: userLength, dimension: dimension,
                threads: threads)
            found = projection
            let packed = projected(sample, content, projection, threads: threads)
            let shares = ContentSignals.inParallel(Array(zip(users, best)), threads) { _, next -> Double in
                let query = projection.query(next.0.profile, user: next.0.user ?? [])
                var top = TopRows(limit: next.1.count * taken)
                query.withUnsafeBufferPointer { query in
                    packed.withUnsafeBufferPointer { packed in
                        guard let query = query.baseAddress, let packed = packed.baseAddress else { return }
                        for place in sample.indices {
                            top.offer(sample[place], innerProduct(query, packed + place * dimension, dimension))
                        }
                    }
                }
                let rows = Set(top.sorted().map(\.row))
                return Double(next.1.count(where: rows.contains)) / Double(max(1, next.1.count))
            }
            if shares.isEmpty || shares.reduce(0, +) >= Self.goal * Double(shares.count) { break }
        }
        return found ?? ContentProjection(content.channel, sample: [], towerDimension: towerDimension)
    }

    /// `[rows.count, dimension]`
    private func projected(_ rows: [Int32], _ content: ContentSignals, _ projection: ContentProjection, threads: Int) -> [Float] {
        let dimension = projection.dimension
        return [Float](unsafeUninitializedCapacity: rows.count * dimension) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            nonisolated(unsafe) let target = start
            parallelFor(count: rows.count, threads: threads, minimumChunk: 64) { range, _ in
                for place in range {
                    let out = target + place * dimension
                    guard let item = content.item(rows[place]) else {
                        for component in 0..<dimension { out[component] = 0 }
                        continue
                    }
                    let isWritten: Void? = vectors.withVector(rows[place]) { vector in
                        projection.write(item, tower: UnsafeBufferPointer(start: vector, count: vectors.dimension), into: out)
                    }
                    if isWritten == nil { projection.write(item, tower: UnsafeBufferPointer(start: nil, count: 0), into: out) }
                }
            }
            count = rows.count * dimension
        }
    }

    /// What comparing all rows finds for the first of some users, best first; for fewer users the more rows there are.
    private func exactBest(
        _ rows: [Int32], _ content: ContentSignals, _ users: [ContentSignals.Taste], of wanted: Int = measuredItems, threads: Int
    ) -> [[Int32]] {
        let count = min(users.count, max(Self.measuredUsers.lowerBound, Self.measuredScores / rows.count))
        return ContentSignals.inParallel(Array(users.prefix(count)), threads) { _, taste in
            var top = TopRows(limit: min(wanted, max(1, rows.count / 4)))
            (taste.user ?? []).withUnsafeBufferPointer { user in
                content.withScorer(taste) { scorer in
                    for row in rows {
                        let tower = user.baseAddress.flatMap { vectors.score(row, $0) } ?? 0
                        if let score = scorer.plain(row, tower: tower) { top.offer(row, score) }
                    }
                }
            }
            return top.sorted().map(\.row)
        }
    }
}

extension ContentSignals {
    /// What a closure makes of each element, in order.
    static func inParallel<Element: Sendable, Result: Sendable>(
        _ elements: [Element], _ threads: Int, _ make: (Int, Element) -> Result
    ) -> [Result] {
        [Result](unsafeUninitializedCapacity: elements.count) { buffer, count in
            guard let start = buffer.baseAddress else { return }
            nonisolated(unsafe) let target = start
            parallelFor(count: elements.count, threads: threads) { range, _ in
                for place in range { (target + place).initialize(to: make(place, elements[place])) }
            }
            count = elements.count
        }
    }
}

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Which part of lists new items are worth, from what is present: learned with a ``ContentChannel``, asked while it serves.
///
/// New items are N, each worth what its content says of its popularity: ((max(0, r))² + σ²), where r is the root that
/// ``ContentPopularity`` expects and σ² what it misses on items left out. Known items are M, each worth the same of theirs.
/// With m, a new item's worth in those of a known one in the mean, the share is N m κ^¼ / (N m κ^¼ + M). κ is by how much the newest
/// fifth of the known items surprised: what was taken of them over what the older ones let expect. Only a quarter of its logarithm
/// counts, since the next newest need not go on like them.
///
/// All items are compared as if they had been there since the log began, so that an item of yesterday is not worth less for having had
/// no time.
public struct NewItemShare: Sendable, Equatable {
    /// What was seen of the places that new items got.
    public enum Reception: Int, Sendable {
        /// Too few of them were shown to tell.
        case unknown
        /// They were taken at least half as often as the rest.
        case fair
        /// They were taken less than half as often as the rest.
        case poor
    }

    /// What one user had, as lists are asked for them to see what their places are worth. Nobody's id.
    public struct Question: Sendable, Equatable {
        /// Rows of the model's items, oldest first.
        public var items: [Int32]
        /// The types' raw values, one an item.
        public var types: [UInt8]
        /// Seconds before the newest of them, one an item.
        public var ages: [Int32]
        /// Rows that may not be shown.
        public var excluded: [Int32]

        /// Makes a question; see the members.
        public init(items: [Int32], types: [UInt8], ages: [Int32], excluded: [Int32]) {
            precondition(items.count == types.count && items.count == ages.count, "a history's columns differ in length")
            self.items = items
            self.types = types
            self.ages = ages
            self.excluded = excluded
        }
    }

    /// Places of a list in which new items get their share.
    public static let listLength = 20
    /// Users whose histories are kept at most.
    public static let questionsLimit = 500
    /// Interactions of a history that are kept at most, and items that may not be shown.
    public static let historyLimitEvents = 300, excludedLimitItems = 2_000
    /// How much of a surprise's logarithm counts.
    private static let surpriseShare: Float = 0.25

    /// What the regression misses of an item's scaled root, squared, in the mean.
    let error: Float
    /// The worth of a known item in the mean by the same formula, in squared mean roots.
    let knownWorth: Float
    /// When the log began, in milliseconds since 1970.
    let start: Int64
    /// κ, in 0.1...10.
    public let surprise: Float
    /// What was seen of new items where they were shown.
    public let reception: Reception
    /// Hashes of the ids of items that nobody took although they had time; ascending. See ``UntakenItems``.
    let untaken: [UInt64]
    /// A sample of users.
    public let questions: [Question]

    /// By how much a new item's worth is multiplied. What nobody saw shown is not taken for better than its content says.
    var factor: Float { pow(reception == .fair ? surprise : min(surprise, 1), Self.surpriseShare) }

    /// Whether an item was in the catalogue, had time and was never taken when the channel was learned.
    public func isUntaken(_ itemID: String) -> Bool {
        let hash = Self.hash(itemID)
        var low = 0, high = untaken.count
        while low < high {
            let middle = (low + high) / 2
            if untaken[middle] < hash { low = middle + 1 } else { high = middle }
        }
        return low < untaken.count && untaken[low] == hash
    }

    static func hash(_ itemID: String) -> UInt64 { FeatureHash.hash(itemID.utf8, field: .link) }

    /// A content as if it had been there since the log began.
    func settled(_ content: ItemContent) -> ItemContent {
        guard let time = content.publishedAt, time > start else { return content }
        var settled = content
        settled.publishedAt = start
        return settled
    }

    /// What a new item is worth in those of a known one, of the popularity that ``ContentPopularity`` expects of it.
    func worth(_ popularity: Float) -> Float { Self.worth(popularity, error: error) / max(knownWorth, 1e-6) * factor }

    /// In squared mean roots: the regression's unit is a root's distance from the mean, in halves of it.
    static func worth(_ popularity: Float, error: Float) -> Float {
        let root = max(0, 1 + popularity / 2)
        return root * root + error / 4
    }

    /// The share of places that belongs to new items.
    ///
    /// - Parameters:
    ///   - worth: of all new items together, by ``ContentChannel/Item/worth``; known: trained items that may be shown.
    /// - Returns: from 0, without new items, to 1, without known ones.
    public static func share(worth: Double, known: Int) -> Double {
        guard worth > 0, worth.isFinite else { return 0 }
        return worth / (worth + Double(max(known, 0)))
    }
}

extension NewItemShare {
    /// The newest fifth of the known items says how far to trust what the older ones let expect.
    private static let newestShare = 0.2, datedShare = 0.8, largestNewestShare = 0.3
    /// Known items below which nothing is learned.
    private static let leastItems = 20
    /// An item of the newest had at least this share of the log to be taken in.
    private static let leastExposure = 0.05

    /// What a log says; nil where too few items were ever taken.
    ///
    /// - Parameters:
    ///   - learning: of the same items and log.
    ///   - counts: interactions with each item.
    ///   - start: milliseconds since 1970 at which the log begins.
    ///   - untaken: by item; see ``UntakenItems``.
    public init?(
        _ learning: ContentLearning, itemIDs: [String], contents: [ItemContent], counts: [Int], start: Int64, untaken: [Bool],
        reception: Reception = .unknown, questions: [Question] = []
    ) {
        let channel = learning.channel, known = ContentPopularity.sample(of: counts.indices.filter { counts[$0] > 0 })
        guard known.count >= Self.leastItems else { return nil }
        self.start = start
        error = channel.popularity.error
        self.untaken = itemIDs.indices.filter { untaken[$0] }.map { Self.hash(itemIDs[$0]) }.sorted()
        self.reception = reception
        self.questions = Array(questions.prefix(Self.questionsLimit))
        func settled(_ row: Int) -> ItemContent {
            var content = contents[row]
            content.publishedAt = content.publishedAt.map { min($0, start) }
            return content
        }
        let tokens = known.map { channel.vocabulary.tokens(of: contents[$0]) }
        let numbers = known.map { channel.numbers.values(of: settled($0)) }
        var sum = 0.0
        for place in known.indices {
            sum += Double(Self.worth(channel.popularity.expected(tokens: tokens[place], numbers: numbers[place]), error: error))
        }
        knownWorth = Float(sum / Double(known.count))
        surprise = Self.surprise(
            of: known, tokens: tokens, numbers: numbers, itemIDs: itemIDs, contents: contents, counts: counts, start: start,
            clock: channel.numbers.clock, vocabularySize: channel.vocabulary.count)
    }

    /// What was taken of the newest fifth over what the rest lets expect of it; 1 where dates do not tell the newest.
    private static func surprise(
        of known: [Int], tokens: [[Int32]], numbers: [[Float]], itemIDs: [String], contents: [ItemContent], counts: [Int],
        start: Int64, clock: Int64, vocabularySize: Int
    ) -> Float {
        let dates = known.compactMap { contents[$0].publishedAt }.sorted()
        guard Double(dates.count) >= datedShare * Double(known.count), clock > start else { return 1 }
        let border = dates[dates.count - max(1, Int(newestShare * Double(dates.count)))]
        var newest: [Int] = [], rest: [Int] = []
        for place in known.indices {
            if contents[known[place]].publishedAt.map({ $0 >= border }) ?? false { newest.append(place) } else { rest.append(place) }
        }
        guard Double(newest.count) <= largestNewestShare * Double(known.count), rest.count >= leastItems else { return 1 }
        let older = ContentPopularity(
            tokens: rest.map { tokens[$0] }, numbers: rest.map { numbers[$0] }, counts: rest.map { counts[known[$0]] },
            isJudge: rest.map { ContentLearning.isJudge(itemIDs[known[$0]]) }, vocabularySize: vocabularySize)
        let root = rest.reduce(0.0) { $0 + Double(counts[known[$1]]).squareRoot() } / Double(rest.count)
        var taken = 0.0, expected = 0.0
        for place in newest {
            let date = max(contents[known[place]].publishedAt ?? start, start)
            // What came late had less time.
            let exposure = min(1, max(leastExposure, (Double(clock) - Double(date)) / (Double(clock) - Double(start))))
            taken += Double(counts[known[place]])
            let popularity = older.expected(tokens: tokens[place], numbers: numbers[place])
            expected += root * root * Double(worth(popularity, error: older.error)) * exposure
        }
        return expected > 0 ? Float(min(max(taken / expected, 0.1), 10)) : 1
    }
}

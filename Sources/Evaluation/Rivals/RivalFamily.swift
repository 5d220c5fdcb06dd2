/// A kind of rival with the settings that somebody who runs it would try; the first is the usual one.
public struct RivalFamily {
    /// One setting of it.
    public struct Setting {
        /// What was set, in words; empty where there is nothing to set.
        public var words: String
        /// Learns it.
        public var learn: () -> any Rival

        /// All of it.
        public init(words: String, learn: @escaping () -> any Rival) {
            self.words = words
            self.learn = learn
        }
    }

    /// Which rival.
    public let contestant: EvaluationRecord.Contestant
    /// At least one.
    public let settings: [Setting]

    /// All of it.
    public init(_ contestant: EvaluationRecord.Contestant, _ settings: [Setting]) {
        precondition(!settings.isEmpty, "\(contestant.title) has no setting")
        self.contestant = contestant
        self.settings = settings
    }
}

/// What rivals may learn from.
public struct RivalData {
    /// Rows are below it.
    public var itemCount: Int
    /// Events per item row, of everybody.
    public var counts: [Int]
    /// The item rows of users, oldest first; of many users a part.
    public var sequences: [[Int32]]
    /// The oldest and the newest event, in milliseconds since 1970.
    public var oldest, newest: Int64
    /// Calls what it is given with the item row and the time of every event.
    public var forEachEvent: (_ add: (_ item: Int32, _ time: Int64) -> Void) -> Void

    /// All of it.
    public init(
        itemCount: Int, counts: [Int], sequences: [[Int32]], oldest: Int64, newest: Int64,
        forEachEvent: @escaping (_ add: (_ item: Int32, _ time: Int64) -> Void) -> Void
    ) {
        self.itemCount = itemCount
        self.counts = counts
        self.sequences = sequences
        self.oldest = oldest
        self.newest = newest
        self.forEachEvent = forEachEvent
    }

    /// λ of EASE, in users, and what older items of a history count; the first is the usual one.
    static let easeLambdas: [Float] = [200, 50, 1_000], easeDecays: [Float] = [1, 0.8]
    /// Half-lives of popularity as parts of the time that the events span.
    static let popularityHalfLives = [10.0, 3, 30, 100]
    /// Windows of bestsellers, in days.
    static let windowDays: [Int64] = [28, 7]
    /// Steps within which an item follows another, powers of the sum reaching an item, and items of a history that are asked.
    static let markovWindows = [10, 3, 1], markovPowers = [0.5, 0.2, 0], markovItems = [20, 60]
    /// Users that a pair of items needs to count half, and items of a history that are asked.
    static let shrinkages: [Float] = [10, 0], neighbourItems = [100, 10]
    /// What the most popular item of late is worth beside own times.
    static let lateWeights: [Float] = [0.01, 1, 2]

    private static let dayMilliseconds: Int64 = 86_400_000

    private var spanMilliseconds: Int64 { max(0, newest - oldest) }

    /// The span's part, not under a minute, and how one says it.
    private func part(_ divisor: Double) -> (milliseconds: Int64, words: String) {
        let milliseconds = max(60_000, Int64(Double(spanMilliseconds) / divisor)), hours = Double(milliseconds) / 3_600_000
        let words = hours >= 48 ? "\(decimal(hours / 24, places: 1)) days" : "\(decimal(hours, places: 1)) hours"
        return (milliseconds, "half-life \(words)")
    }

    /// Every kind, popularity first.
    ///
    /// - Parameter easeItemsLimit: items that EASE models at most: its cost grows with their cube.
    public func families(easeItemsLimit: Int = EASERival.itemsLimit) -> [RivalFamily] {
        popular + [windowedMarkov, ease(easeItemsLimit), itemItem, buyAgain]
    }

    /// Those that only count: what is popular, and what the user had.
    public var counting: [RivalFamily] { popular + [buyAgain] }

    /// Those that give everybody the same list, and cost one pass over the events.
    public var popular: [RivalFamily] {
        [RivalFamily(.popularity, [.init(words: "") { [counts] in PopularityRival(counts: counts) }]), recentPopularity]
    }

    private var recentPopularity: RivalFamily {
        let halfLives = Self.popularityHalfLives.map { part($0) }.map { part in
            RivalFamily.Setting(words: part.words) { [self] in
                RecentPopularityRival(
                    itemCount: itemCount, now: newest, halfLifeMilliseconds: part.milliseconds, forEachEvent: forEachEvent)
            }
        }
        let windows = Self.windowDays.filter { $0 * Self.dayMilliseconds < spanMilliseconds }.map { days in
            RivalFamily.Setting(words: "the last \(days) days") { [self] in
                RecentPopularityRival(
                    itemCount: itemCount, now: newest, windowMilliseconds: days * Self.dayMilliseconds, forEachEvent: forEachEvent)
            }
        }
        return RivalFamily(.recentPopularity, halfLives + windows)
    }

    private var windowedMarkov: RivalFamily {
        let last = Last<String, MarkovRival>()
        var settings: [RivalFamily.Setting] = []
        for window in Self.markovWindows {
            for power in Self.markovPowers {
                for items in Self.markovItems {
                    let words = "window \(window), popularity to the power \(decimal(-power, places: 1))"
                    settings.append(
                        RivalFamily.Setting(words: "\(words), last \(items) items") { [self] in
                            var markov = last.value(words) {
                                MarkovRival(sequences: sequences, itemCount: itemCount, window: window, reachingPower: power)
                            }
                            markov.lastItems = items
                            return BackedRival(markov, counts: counts)
                        })
                }
            }
        }
        return RivalFamily(.windowedMarkov, settings)
    }

    private func ease(_ itemsLimit: Int) -> RivalFamily {
        let gram = EASERival.Gram(sequences: sequences, itemCount: itemCount, itemsLimit: itemsLimit), last = Last<Float, EASERival>()
        var settings: [RivalFamily.Setting] = []
        for lambda in Self.easeLambdas {
            for decay in Self.easeDecays {
                let older = decay < 1 ? ", an older item \(decimal(Double(decay), places: 1)) times the next" : ""
                let words = "lambda \(Int(lambda))\(older)"
                settings.append(
                    RivalFamily.Setting(words: words) {
                        var ease = last.value(lambda) { EASERival(gram, lambda: lambda) }
                        ease.decay = decay
                        return ease
                    })
            }
        }
        return RivalFamily(.ease, settings)
    }

    private var itemItem: RivalFamily {
        RivalFamily(
            .itemItem,
            Self.shrinkages.flatMap { shrinkage in
                Self.neighbourItems.map { items in
                    RivalFamily.Setting(words: "shrinkage \(decimal(Double(shrinkage), places: 1)), last \(items) items") { [self] in
                        let neighbours = ItemItemRival(
                            sequences: sequences, itemCount: itemCount, shrinkage: shrinkage, lastItems: items)
                        return BackedRival(neighbours, counts: counts)
                    }
                }
            })
    }

    private var buyAgain: RivalFamily {
        let all = counts.map { Float($0) }, late = late()
        var settings = [RivalFamily.Setting(words: "ties by popularity") { BuyAgainRival(counts: all) }]
        for weight in Self.lateWeights {
            settings.append(
                RivalFamily.Setting(words: "\(decimal(Double(weight), places: 2)) times the popularity of \(late.words) added") {
                    BuyAgainRival(counts: late.counts, popularity: weight)
                })
        }
        for (divisor, weight) in [(2.0, Float(0.6)), (6, 1e-7)] {
            let part = part(divisor)
            let added = weight > 1e-3 ? ", \(decimal(Double(weight), places: 1)) times the popularity of \(late.words) added" : ""
            settings.append(
                RivalFamily.Setting(words: part.words + added) {
                    BuyAgainRival(counts: late.counts, popularity: weight, halfLifeMilliseconds: part.milliseconds)
                })
        }
        return RivalFamily(.buyAgain, settings)
    }

    /// What everybody took in the last four weeks, or the last quarter of a shorter time.
    private func late() -> (counts: [Float], words: String) {
        let days: Int64 = 28, isLong = spanMilliseconds >= 2 * days * Self.dayMilliseconds
        let window = isLong ? days * Self.dayMilliseconds : max(1, spanMilliseconds / 4)
        let rival = RecentPopularityRival(itemCount: itemCount, now: newest, windowMilliseconds: window, forEachEvent: forEachEvent)
        return (rival.scores, isLong ? "the last \(days) days" : "the last quarter of the time")
    }
}

/// The last thing that was learned, for settings that share it: one alone, since some are large.
private final class Last<Key: Equatable, Value> {
    private var kept: (key: Key, value: Value)?

    func value(_ key: Key, _ learn: () -> Value) -> Value {
        if let kept, kept.key == key { return kept.value }
        kept = nil
        let value = learn()
        kept = (key, value)
        return value
    }
}

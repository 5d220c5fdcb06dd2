#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What tables say of candidates for one user.
public struct CandidateSignals: Sendable {
    /// Candidates of each kind: own items by what counts half after 60 days, then by kind of link, then by list of popular items.
    static let ownLimit = 250, linkLimits = [80, 50, 60, 60, 40, 40, 60], popularLimits = [60, 40, 40, 20]
    /// Groups of the user whose most popular items are candidates, and how many of each.
    static let groupsLimit = 40, itemsOfGroup = 3

    let tables: CandidateTables
    let own: [Int32: OwnCounts]
    private let user: UserCounts
    /// By level, then by group.
    let groups: [[Int32: OwnCounts]]
    /// How many events the history had.
    public let historyEvents: Int
    private let links: LinkSums
    private let profile: TokenProfile

    /// Reads a history.
    ///
    /// - Complexity: O(history + links of the newest items).
    public init(_ history: CandidateHistory, tables: CandidateTables) {
        self.tables = tables
        historyEvents = history.rows.count
        var own: [Int32: OwnCounts] = [:], user = UserCounts()
        own.reserveCapacity(history.rows.count)
        var groups = [[Int32: OwnCounts]](repeating: [:], count: tables.groups.count)
        let visits = Self.visits(history.times)
        for (place, row) in history.rows.enumerated() {
            let age = Float(max(0, Double(history.now) - Double(history.times[place])) / Double(CountedEvents.millisecondsPerDay))
            let visit = visits[place], isPurchase = history.isPurchase[place]
            let decays = SIMD4(exp2(-age / 20), exp2(-age / 60), exp2(-age / 120), exp2(-age / 180))
            let amount = Float(max(0, history.amounts[place]))
            user.lines += 1
            user.lastDays = min(user.lastDays, age)
            user.firstDays = max(user.firstDays, age)
            if amount > 0 {
                user.worth += amount
                user.paidLines += 1
            }
            guard row >= 0, Int(row) < tables.itemCount else { continue }
            let known = own[row]
            if known?.newestVisit != visit {
                user.pairVisits += 1
                if visit < 3 {
                    user.late += 1
                    if known != nil { user.lateRepeats += 1 }
                }
            }
            own[row, default: OwnCounts()].add(ageDays: age, visit: visit, worth: amount, isPurchase: isPurchase, decays: decays)
            for (level, counted) in tables.groups.enumerated() where counted.group[Int(row)] >= 0 {
                groups[level][counted.group[Int(row)], default: OwnCounts()]
                    .add(ageDays: age, visit: visit, worth: amount, isPurchase: isPurchase, decays: decays)
            }
        }
        user.visits = (visits.first ?? -1) + 1
        user.distinctItems = Float(own.count)
        var met = Set<Int32>(), newest: [(row: Int32, weight: Float)] = []
        for row in history.rows.reversed() where newest.count < LinkSums.itemsLimit && met.insert(row).inserted {
            guard let counts = own[row] else { continue }
            newest.append((row, (tables.usesTimes ? counts.of60Days : counts.lines).squareRoot()))
        }
        links = LinkSums(newest: newest, history: history.rows, tables: tables.links)
        profile = TokenProfile(history.rows.filter { $0 >= 0 && Int($0) < tables.itemCount }, tokens: tables.tokens)
        self.own = own
        self.user = user
        self.groups = groups
    }

    /// Of each time the rank of its day among the user's, from the newest, which is 0.
    private static func visits(_ times: [Int64]) -> [Float] {
        var days: [Float] = [], day: Float = -1, last: Int64?
        for time in times {
            let own = time / CountedEvents.millisecondsPerDay
            if own != last { day += 1 }
            last = own
            days.append(day)
        }
        return days.map { day - $0 }
    }

    /// Rows that may be worth ranking, each once: what is the user's own, what goes with it, what is popular.
    public func candidates(where admits: (Int32) -> Bool) -> [Int32] {
        var taken = Set<Int32>(), rows: [Int32] = []
        func take(_ row: Int32) {
            if taken.insert(row).inserted { rows.append(row) }
        }
        let kept = own.filter { admits($0.key) }.sorted {
            ($0.value.of60Days, $0.value.lines, -$0.key) > ($1.value.of60Days, $1.value.lines, -$1.key)
        }
        for (row, _) in kept.prefix(Self.ownLimit) { take(row) }
        for (lane, limit) in Self.linkLimits.enumerated() { for row in links.best(limit, lane: lane, where: admits) { take(row) } }
        for (list, limit) in zip(tables.popular, Self.popularLimits) {
            var open = limit
            for row in list where open > 0 && admits(row) {
                take(row)
                open -= 1
            }
        }
        guard let groups = groups.first, let counted = tables.groups.first else { return rows }
        let strongest = groups.sorted { ($0.value.of120Days, -$0.key) > ($1.value.of120Days, -$1.key) }.prefix(Self.groupsLimit)
        for (group, _) in strongest {
            for row in counted.top[Int(group)].lazy.filter(admits).prefix(Self.itemsOfGroup) { take(row) }
        }
        return rows
    }

    /// Writes the signals of rows, `[rows, CandidateSignal.count]`, row-major. Rows that the tables do not know have no counts.
    public func write(_ rows: some Collection<Int32>, into signals: UnsafeMutableBufferPointer<Float>) {
        write(rows.lazy.map { ($0, SIMD8<Float>.zero) }, without: nil, into: signals)
    }

    /// The same, had nothing been known of one kind: as if the user had never met the item, nothing led to it, they had nothing of its
    /// groups, or it were as popular as the item in the middle of those that anybody took.
    ///
    /// An item that nobody took would be no measure of popularity: beside it everything that sells is popular.
    public func write(_ rows: some Collection<Int32>, without group: SignalGroup, into signals: UnsafeMutableBufferPointer<Float>) {
        write(rows.lazy.map { ($0, SIMD8<Float>.zero) }, without: group, into: signals)
    }

    /// An item of the history from which links lead to another.
    public struct Source: Sendable {
        /// The item of the history.
        public var row: Int32
        /// What it adds, by kind of link.
        var sums: SIMD8<Float>
    }

    /// Items of the history that lead to a row, the strongest first, at most ``sourcesLimit``; the row itself is none of them.
    ///
    /// - Complexity: O(links of the newest items)
    public func sources(of row: Int32) -> [Source] {
        let scale = SIMD8<Float>(repeating: 1) / pointwiseMax(links.largest, SIMD8(repeating: 1e-9))
        return links.sources(of: row, tables: tables.links).filter { $0.key != row }
            .map { Source(row: $0.key, sums: $0.value) }
            .sorted { (($0.sums * scale).sum(), -$0.row) > (($1.sums * scale).sum(), -$1.row) }
            .prefix(Self.sourcesLimit).map(\.self)
    }

    /// Sources that are looked at.
    public static let sourcesLimit = 8

    /// The signals of one row, each time without the links from one item of the history, `[sources, CandidateSignal.count]`.
    public func write(_ row: Int32, withoutEachOf sources: [Source], into signals: UnsafeMutableBufferPointer<Float>) {
        write(sources.lazy.map { (row, $0.sums) }, without: nil, into: signals)
    }

    private func write(
        _ rows: some Collection<(Int32, SIMD8<Float>)>, without group: SignalGroup?, into signals: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(signals.count == rows.count * CandidateSignal.count, "\(signals.count) places for \(rows.count) candidates")
        for (place, (row, absent)) in rows.enumerated() {
            let start = place * CandidateSignal.count
            write(
                row, without: group, absent: absent, UnsafeMutableBufferPointer(rebasing: signals[start..<start + CandidateSignal.count]))
        }
    }

    /// - Parameter absent: what the sums of links have to do without.
    private func write(_ row: Int32, without group: SignalGroup?, absent: SIMD8<Float>, _ out: UnsafeMutableBufferPointer<Float>) {
        @inline(__always) func set(_ signal: CandidateSignal, _ value: Float) { out[signal.rawValue] = value }
        let isKnown = row >= 0 && Int(row) < tables.itemCount
        @inline(__always) func known(_ column: ItemCounts.Column) -> Float {
            isKnown ? tables.items[column, row] : tables.items.unknown[column.rawValue]
        }
        @inline(__always) func item(_ column: ItemCounts.Column) -> Float {
            group == .popularity ? tables.items.typical[column.rawValue] : known(column)
        }
        let own = group == .own ? OwnCounts() : own[row] ?? OwnCounts(), has = own.lines > 0
        set(.ownLines, own.lines)
        set(.ownVisits, own.visits)
        set(.ownOf20Days, own.of20Days)
        set(.ownOf60Days, own.of60Days)
        set(.ownOf180Days, own.of180Days)
        set(.ownByVisits, own.byVisits)
        set(.ownLastDays, own.newestDays)
        set(.ownLastVisit, own.newestVisit)
        set(.ownInterval, own.interval)
        set(.ownOverdue, own.overdue)
        set(.ownVisitShare, own.visits / max(user.visits, 1))
        set(.ownAgainstItem, has ? log(max(own.newestDays, 0.5)) - known(.interval) : -9)
        set(.ownRebuyRate, has ? known(.rebuyRate) : 0)
        set(.ownWorth, own.worth)
        set(.ownLineWorth, own.worth / max(own.paidLines, 1))
        set(.ownLastWorth, own.lastWorth)
        set(.ownPurchases, own.purchases)
        set(.ownPurchaseDays, own.purchaseDays)
        set(.users7, item(.users7))
        set(.users28, item(.users28))
        set(.users112, item(.users112))
        set(.users, item(.users))
        set(.rise, item(.rise))
        set(.itemLastDays, item(.lastDays))
        set(.itemFirstDays, item(.firstDays))
        set(.rebuyRate, item(.rebuyRate))
        set(.takeRate, item(.takeRate))
        set(.itemWorth, known(.worth))
        set(.visits, user.visits)
        set(.lastDays, user.lastDays)
        set(.visitInterval, user.interval)
        set(.overdue, user.overdue)
        set(.basket, user.basket)
        set(.distinctItems, user.distinctItems)
        set(.repeatShare, user.repeatShare)
        set(.lateRepeatShare, user.lateRepeatShare)
        set(.worth, user.worth / max(user.paidLines, 1))
        let sums = group == .goesWith ? .zero : links[row] - absent, first = CandidateSignal.ease.rawValue
        for lane in 0..<LinkSums.lanes {
            out[first + lane] = sums[lane] * Self.linkScale
            out[first + LinkSums.lanes + lane] = sums[lane] / max(links.largest[lane], 1e-9)
        }
        let likeness = isKnown && group != .goesWith ? profile.likeness(row, tokens: tables.tokens) : (all: 0, newest: 0)
        set(.likeness, likeness.all)
        set(.newestLikeness, likeness.newest)
        for (level, start) in [CandidateSignal.groupLines.rawValue, CandidateSignal.upperLines.rawValue].enumerated() {
            write(level: level, row, isKnown, own, without: group, UnsafeMutableBufferPointer(rebasing: out[start..<start + 8]))
        }
        guard !tables.usesTimes else { return }
        for place in CandidateSignal.placesOfTimes { out[place] = 0 }
    }

    /// Links are small numbers: so much more makes their logarithm tell them apart.
    private static let linkScale: Float = 100

    /// The signals of one level of groups, in the order in which they are named.
    private func write(
        level: Int, _ row: Int32, _ isKnown: Bool, _ own: OwnCounts, without absent: SignalGroup?, _ out: UnsafeMutableBufferPointer<Float>
    ) {
        guard level < tables.groups.count, isKnown, tables.groups[level].group[Int(row)] >= 0 else {
            for place in out.indices { out[place] = 0 }
            return
        }
        let counted = tables.groups[level], group = counted.group[Int(row)], all = groups[level][group] ?? OwnCounts()
        let mine = absent == .category ? OwnCounts() : all
        func users(_ column: ItemCounts.Column) -> Float {
            absent == .popularity ? tables.items.typical[column.rawValue] : tables.items[column, row]
        }
        let share = log(users(.users) + 0.5) - log(counted.popularity[Int(group)] + 5)
        out[0] = mine.lines
        out[1] = mine.of120Days
        out[2] = mine.newestDays
        out[3] = counted.rebuyRate[Int(group)]
        out[4] = share
        out[5] = log(users(.users112) + 0.2) - log(counted.recent[Int(group)] + 2)
        out[6] = log(mine.of120Days + 0.02) + share
        out[7] = own.lines / max(all.lines, 1)
    }
}

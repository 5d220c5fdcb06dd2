import Features
import Interactions

/// A user's list under the shares of a shop: which item is of which kind, what must be found so that each kind has its share, and in
/// which order items stand at last.
struct SharedList {
    /// New items that are looked at for those whom no model ranks, the newest.
    private static let newLimitItems = 5_000

    private let shares: ListShares
    private let count: Int
    private let snapshot: ServingSnapshot
    /// What the user had, the newest first, each once.
    private let had: [Int32]
    private let hadRows: RowSet
    private let hadCategories: Set<String>

    /// Nil where the rules set no shares.
    ///
    /// - Parameters:
    ///   - history: all of it, whatever was thought of the items.
    ///   - count: of the list.
    init?(_ snapshot: ServingSnapshot, history: UserHistory, count: Int) {
        guard snapshot.rules.shares.isSet else { return nil }
        self.snapshot = snapshot
        self.count = count
        shares = snapshot.rules.shares
        var had: [Int32] = [], rows = RowSet(rows: snapshot.catalogue.count), categories: Set<String> = []
        for entry in history.entries.reversed() where entry.type.isAct && !entry.isReturned {
            guard let row = snapshot.catalogue.row(of: entry.itemID), rows.insert(row) else { continue }
            had.append(row)
            if let category = snapshot.catalogue[row].categories.last { categories.insert(category) }
        }
        (self.had, hadRows, hadCategories) = (had, rows, categories)
    }

    /// How many items are ranked, so that there are some of each kind.
    var depth: Int { max(4 * count, 200) }

    /// What an item is to the user.
    func kind(_ row: Int32) -> ItemKind {
        if hadRows.contains(row) { return .repeat }
        if snapshot.isNew(row) { return .new }
        guard let category = snapshot.catalogue[row].categories.last else { return .discovery }
        return hadCategories.contains(category) ? .familiar : .discovery
    }

    /// How many items of a kind there may be.
    private func supply(_ kind: ItemKind) -> Int {
        switch kind {
        case .repeat: had.count
        case .new: max(snapshot.untrained.rows.count, snapshot.content?.presentCount ?? 0)
        case .discovery: snapshot.catalogue.hasCategory(apart: hadCategories) ? snapshot.availableCount : 0
        case .familiar: snapshot.availableCount
        }
    }

    /// Candidates with what they lack so that shares can be kept.
    ///
    /// - Parameter search: the best rows that are admitted; `supply` is about how many there are.
    func completed(
        _ candidates: [Candidate], search: (_ count: Int, _ supply: Int, _ admits: @escaping (Int32) -> Bool) -> [Candidate]
    ) -> [Candidate] {
        var all = candidates, known = RowSet(rows: snapshot.catalogue.count)
        var counts = [Int](repeating: 0, count: ItemKind.allCases.count)
        func note(_ row: Int32) {
            if known.insert(row) { counts[kind(row).rawValue] += 1 }
        }
        for candidate in candidates { note(candidate.row) }
        func add(_ wanted: Int, _ supply: Int, _ admits: @escaping (Int32) -> Bool) {
            guard supply > 0 else { return }
            for candidate in search(wanted, supply, { !known.contains($0) && admits($0) }) where candidate.score.isFinite {
                all.append(candidate)
                note(candidate.row)
            }
        }
        // Twice as many as are needed, since the ranking orders them anew.
        for kind in ItemKind.allCases where counts[kind.rawValue] < shares.least(kind, of: count) {
            add(2 * shares.least(kind, of: count), supply(kind)) { self.kind($0) == kind }
        }
        // Places that kinds may not fill although there are enough of them.
        let usable = ItemKind.allCases.map { min(counts[$0.rawValue], shares.most($0, of: count)) }
        let open = ItemKind.allCases.filter { usable[$0.rawValue] < shares.most($0, of: count) }
        if usable.reduce(0, +) < count, open.count < ItemKind.allCases.count, !open.isEmpty {
            add(2 * count, open.map(supply).max() ?? 0) { open.contains(self.kind($0)) }
        }
        return all
    }

    /// Appends items of kinds of which there are too few, for users whose list no model ranks: what they had last, what is newest, what is
    /// popular.
    private func completing(_ rows: [RankedRow], where admits: (Int32) -> Bool) -> [RankedRow] {
        var all = rows, known = RowSet(rows: snapshot.catalogue.count)
        var counts = [Int](repeating: 0, count: ItemKind.allCases.count)
        for ranked in rows where known.insert(ranked.row) { counts[kind(ranked.row).rawValue] += 1 }
        for kind in ItemKind.allCases {
            var missing = shares.least(kind, of: count) - counts[kind.rawValue]
            guard missing > 0, supply(kind) > 0 else { continue }
            let source = switch kind {
            case .repeat: had
            case .new: Array(snapshot.untrained.rows.reversed().prefix(Self.newLimitItems))
            case .discovery, .familiar: snapshot.trending.rows
            }
            let floor = all.last?.score ?? 1
            for row in source where missing > 0 && admits(row) && self.kind(row) == kind && known.insert(row) {
                let step = Float(missing) / Float(shares.least(kind, of: count) + 1)
                all.append(RankedRow(row: row, score: floor - 1 + step, reason: kind == .new ? .fresh : .trending))
                missing -= 1
            }
        }
        return all
    }

    /// The list, of ranked rows and of some that want to be explored.
    ///
    /// Scores fall along it: what stands before others by a share has the score of the best that was left.
    ///
    /// - Parameters:
    ///   - admits: rows that may be shown.
    ///   - explored: places, ascending, with the rows that are to be shown there to learn who likes them, given the rows that are shown
    ///     already.
    func arranged(
        _ ranked: [RankedRow], where admits: (Int32) -> Bool, explored: (([RankedRow]) -> [(slot: Int, row: Int32)])? = nil
    ) -> [RankedRow] {
        let rows = completing(ranked, where: admits), plain = list(rows, [])
        guard let wishes = explored?(plain), !wishes.isEmpty else { return plain }
        let taken = Set(wishes.map(\.row))
        return list(rows.filter { !taken.contains($0.row) }, wishes)
    }

    private func list(_ rows: [RankedRow], _ wishes: [(slot: Int, row: Int32)]) -> [RankedRow] {
        let places = SharedPlaces.filled(
            rows.map { kind($0.row) }, count: count, shares: shares, wishes: wishes.map { ($0.slot, kind($0.row)) })
        var score: Float?
        return places.map { place in
            let best = place.best.map { rows[$0].score }
            var row = switch place.source {
            case .ranked(let number): rows[number]
            case .wished(let number): RankedRow(row: wishes[number].row, score: best ?? score ?? 0, reason: .fresh, isExploration: true)
            }
            row.share = place.cause
            if let best { row.score = best }
            if let last = score { row.score = min(row.score, last) }
            score = row.score
            return row
        }
    }
}

extension ServingSnapshot {
    /// Whether the model never learned from the item of a row, and it is no old one that nobody took.
    func isNew(_ row: Int32) -> Bool {
        guard untrained.contains(row) || content?.scores(row) == true else { return false }
        return content?.isUntaken(row) != true
    }
}

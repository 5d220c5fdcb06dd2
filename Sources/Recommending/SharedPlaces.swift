/// Gives the places of a list to ranked items so that ``ListShares`` hold for every beginning of it.
///
/// Each place takes the best item that may stand there. A kind whose number so far is the most waits. A kind becomes due when the places up
/// to some later one are just enough for what is due until then: so the last place that keeps the promise is the one that costs least, and
/// kinds that are due together do not get into each other's way.
///
/// While no kind has run out that always succeeds: what is due by a place m was not due in full at the place n before, so of the kinds that
/// are due by the first such m one has not reached its most at n.
package struct SharedPlaces {
    /// What stands at a place.
    package struct Place: Equatable {
        /// An item: its number among the ranked ones, or among the wished ones.
        package enum Source: Equatable {
            /// Of the ranked items, best first.
            case ranked(Int)
            /// Of the wishes.
            case wished(Int)
        }

        /// What stands there.
        package var source: Source
        /// Why it stands before others; nil where it is the best of what is left.
        package var cause: ShareCause?
        /// The best ranked item that was left when the place was filled, where there was one.
        package var best: Int?
    }

    /// Shares are whole percent: what is due repeats after so many places.
    private static let period = 100

    private let shares: ListShares
    private var counts = [Int](repeating: 0, count: ItemKind.allCases.count)
    /// Of each kind the ranked items that are left, the best last.
    private var left: [[Int]]

    private init(_ kinds: [ItemKind], _ shares: ListShares) {
        self.shares = shares
        left = ItemKind.allCases.map { kind in kinds.indices.reversed().filter { kinds[$0] == kind } }
    }

    /// Fills at most `count` places.
    ///
    /// - Parameters:
    ///   - kinds: of the ranked items, best first.
    ///   - wishes: items that want a place, or one soon after it, counted from 0 and ascending: each gets the first that shares allow.
    /// - Complexity: O(items + 300 · count)
    package static func filled(
        _ kinds: [ItemKind], count: Int, shares: ListShares, wishes: [(place: Int, kind: ItemKind)] = []
    ) -> [Place] {
        var filling = SharedPlaces(kinds, shares), places: [Place] = [], wished = 0
        while places.count < count {
            if wished < wishes.count, wishes[wished].place <= places.count, filling.allows(wishes[wished].kind, at: places.count + 1) {
                places.append(Place(source: .wished(wished), cause: nil, best: filling.best { _ in true }.flatMap { filling.first($0) }))
                filling.counts[wishes[wished].kind.rawValue] += 1
                wished += 1
            } else if let place = filling.next(at: places.count + 1) {
                places.append(place)
            } else {
                break
            }
        }
        return places
    }

    private func first(_ kind: ItemKind) -> Int? { left[kind.rawValue].last }

    /// Of the kinds that have items left, and are asked for, the one with the best of them.
    private func best(where admits: (ItemKind) -> Bool) -> ItemKind? {
        ItemKind.allCases.filter { first($0) != nil && admits($0) }.min { (first($0) ?? 0) < (first($1) ?? 0) }
    }

    private func fits(_ kind: ItemKind, at number: Int) -> Bool {
        counts[kind.rawValue] < shares.most(kind, of: number)
    }

    private func allows(_ kind: ItemKind, at number: Int) -> Bool {
        fits(kind, at: number) && due(at: number)?.contains(kind) != false
    }

    /// Takes the item for the place with a number, from 1.
    private mutating func next(at number: Int) -> Place? {
        guard let free = best(where: { _ in true }), let best = first(free) else { return nil }
        let due = due(at: number)
        let kind = due.flatMap { due in self.best { due.contains($0) && fits($0, at: number) } ?? self.best { due.contains($0) } }
            ?? self.best { fits($0, at: number) } ?? free
        guard let item = left[kind.rawValue].popLast() else { return nil }
        counts[kind.rawValue] += 1
        let cause = kind == free ? nil : due?.contains(kind) == true ? ShareCause.due(kind) : .enough(free)
        return Place(source: .ranked(item), cause: cause, best: best)
    }

    /// The kinds of which one must have this place, so that all that is due later finds one; nil where any may.
    private func due(at number: Int) -> Set<ItemKind>? {
        let wanted = ItemKind.allCases.filter { shares[$0].lowerBound > 0 && first($0) != nil }
        guard !wanted.isEmpty else { return nil }
        for last in number..<number + Self.period {
            let missing = wanted.map { max(0, shares.least($0, of: last) - counts[$0.rawValue]) }
            guard missing.reduce(0, +) > last - number else { continue }
            return Set(zip(wanted, missing).filter { $1 > 0 }.map(\.0))
        }
        return nil
    }
}

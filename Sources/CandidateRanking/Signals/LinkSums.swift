import Tensors

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What all links from a user's history add up to, by item: one probe finds every kind.
struct LinkSums {
    /// The kinds, by lane: as the signals from ``CandidateSignal/ease`` on.
    static let lanes = 7
    private static let ease = 0, easeOf60Days = 1, easeOfNewest = 2, followers = 3, newestFollowers = 4, next = 5, neighbours = 6

    /// Newest distinct items that speak for EASE and neighbours, and newest items that speak for what follows and what comes next.
    static let itemsLimit = 100, followedLimit = 40, nextLimit = 5

    /// Items that anything leads to, in the order in which they were met.
    private(set) var rows: [Int32] = []
    private(set) var sums: [SIMD8<Float>] = []
    /// The largest of each kind; 0 without any.
    private(set) var largest = SIMD8<Float>(repeating: 0)
    private var slots: [Int32]
    private let mask: Int
    /// What speaks for EASE and neighbours, and for what follows and comes next, newest first.
    private let speaking: [(row: Int32, weight: Float)], followed: [Int32]

    /// Adds up.
    ///
    /// - Parameters:
    ///   - newest: distinct rows, the newest first, with the weight of each in EASE by age.
    ///   - history: rows, oldest first.
    init(newest: [(row: Int32, weight: Float)], history: [Int32], tables: LinkTables) {
        let items = tables.ease.itemCount
        let speaking = newest.prefix(Self.itemsLimit).filter { $0.row >= 0 && Int($0.row) < items }
        let followed = history.suffix(Self.followedLimit).reversed().filter { $0 >= 0 && Int($0) < items }
        var links = 0
        for own in speaking { links += tables.ease.count(of: own.row) + tables.neighbours.count(of: own.row) }
        for row in followed { links += tables.followers.count(of: row) }
        for row in followed.prefix(Self.nextLimit) { links += tables.next.count(of: row) }
        var capacity = 64
        while capacity < 2 * min(links, items) { capacity *= 2 }
        slots = [Int32](repeating: -1, count: capacity)
        mask = capacity - 1
        (self.speaking, self.followed) = (speaking, followed)
        Self.forEach(speaking, followed, tables) { source, links, weights in links.forEach(source) { add($0, $1 * weights) } }
        for sum in sums { largest.replace(with: sum, where: sum .> largest) }
    }

    /// Calls `body` with each item that speaks, the links by which it does, and what these count in each kind.
    private static func forEach(
        _ speaking: [(row: Int32, weight: Float)], _ followed: [Int32], _ tables: LinkTables,
        _ body: (_ source: Int32, _ links: ItemLinks, _ weights: SIMD8<Float>) -> Void
    ) {
        var older: Float = 1
        for own in speaking {
            var weights = SIMD8<Float>(repeating: 0)
            weights[ease] = 1
            weights[easeOf60Days] = own.weight
            weights[easeOfNewest] = older
            body(own.row, tables.ease, weights)
            var likeness = SIMD8<Float>(repeating: 0)
            likeness[neighbours] = own.weight
            body(own.row, tables.neighbours, likeness)
            older *= 0.8
        }
        var far: Float = 1, near: Float = 1
        for (place, row) in followed.enumerated() {
            var weights = SIMD8<Float>(repeating: 0)
            weights[followers] = far
            weights[newestFollowers] = near
            body(row, tables.followers, weights)
            if place < nextLimit {
                var weights = SIMD8<Float>(repeating: 0)
                weights[next] = near
                body(row, tables.next, weights)
            }
            far *= 0.93
            near *= 0.7
        }
    }

    /// What each item of the history adds to a row.
    func sources(of target: Int32, tables: LinkTables) -> [Int32: SIMD8<Float>] {
        var found: [Int32: SIMD8<Float>] = [:]
        Self.forEach(speaking, followed, tables) { source, links, weights in
            links.forEach(source) { if $0 == target { found[source, default: .zero] += $1 * weights } }
        }
        return found
    }

    private mutating func add(_ row: Int32, _ value: SIMD8<Float>) {
        var slot = Self.hash(row) & mask
        while slots[slot] >= 0 {
            let place = Int(slots[slot])
            if rows[place] == row {
                sums[place] += value
                return
            }
            slot = (slot + 1) & mask
        }
        slots[slot] = Int32(rows.count)
        rows.append(row)
        sums.append(value)
    }

    @inline(__always)
    private static func hash(_ row: Int32) -> Int { Int(UInt32(bitPattern: row) &* 2_654_435_769) >> 7 }

    /// What leads to an item.
    subscript(_ row: Int32) -> SIMD8<Float> {
        var slot = Self.hash(row) & mask
        while slots[slot] >= 0 {
            if rows[Int(slots[slot])] == row { return sums[Int(slots[slot])] }
            slot = (slot + 1) & mask
        }
        return SIMD8(repeating: 0)
    }

    /// The best of one kind, best first, all above 0.
    func best(_ count: Int, lane: Int, where admits: (Int32) -> Bool) -> [Int32] {
        // Half as many again, for those that may not be shown; who had much of it may get fewer.
        var values = [Float](repeating: 0, count: sums.count)
        for place in sums.indices { values[place] = sums[place][lane] > 0 ? sums[place][lane] : .nan }
        var found: [Int32] = []
        let best = values.withUnsafeBufferPointer { values in
            values.baseAddress.map { Kernels.topK(count + count / 2 + 20, of: $0, count: values.count) } ?? []
        }
        for element in best where found.count < count {
            let row = rows[Int(element.index)]
            if admits(row) { found.append(row) }
        }
        return found
    }
}

extension CandidateTables {
    /// What all links from a history to one item add up to, summed the plain way: what ``LinkSums`` must give, in the order of its lanes.
    package func plainLinkSums(_ history: CandidateHistory, _ target: Int32) -> [Float] {
        func weight(_ links: ItemLinks, _ row: Int32) -> Float {
            var sum: Float = 0
            if row >= 0, Int(row) < links.itemCount { links.forEach(row) { if $0 == target { sum += $1 } } }
            return sum
        }
        var sums = [Float](repeating: 0, count: LinkSums.lanes), met: [Int32] = []
        for row in history.rows.reversed() where !met.contains(row) && row >= 0 && Int(row) < itemCount && met.count < LinkSums.itemsLimit {
            var decayed: Float = 0
            for (place, own) in history.rows.enumerated() where own == row {
                let days = Float(max(0, history.now - history.times[place])) / Float(CountedEvents.millisecondsPerDay)
                decayed += usesTimes ? exp2(-days / 60) : 1
            }
            sums[0] += weight(links.ease, row)
            sums[1] += decayed.squareRoot() * weight(links.ease, row)
            sums[2] += power(0.8, met.count) * weight(links.ease, row)
            sums[6] += decayed.squareRoot() * weight(links.neighbours, row)
            met.append(row)
        }
        for (place, row) in history.rows.suffix(LinkSums.followedLimit).reversed().enumerated() {
            sums[3] += power(0.93, place) * weight(links.followers, row)
            sums[4] += power(0.7, place) * weight(links.followers, row)
            if place < LinkSums.nextLimit { sums[5] += power(0.7, place) * weight(links.next, row) }
        }
        return sums
    }

    private func power(_ base: Float, _ exponent: Int) -> Float { (0..<exponent).reduce(1) { result, _ in result * base } }
}

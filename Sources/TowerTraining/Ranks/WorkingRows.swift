import Tensors
import TowerModel

/// The rows of sharded tables that a batch needs, fetched from the ranks that hold them (``RowShard``).
///
/// Memory: the rows of one batch, and four bytes for each row of all tables.
final class WorkingRows {
    private let ranks: any RankGroup
    private let shape: TowerShape
    /// By table and row: where the row lies in ``fetched``; −1 where it was not asked for.
    private let slots: [UnsafeMutablePointer<Int32>]
    /// The first of each table's rows where the rows of all tables are numbered together.
    private let firsts: [Int]
    private var fetched = FloatBuffer(0), answers = FloatBuffer(0)
    /// What was asked for last, by the rank that holds it, as rows of all tables.
    private var asked: [[UInt32]]
    /// Bytes that this rank has handed to others: numbers of rows, and rows.
    private(set) var sentBytes = 0

    init(_ ranks: any RankGroup, shape: TowerShape) {
        self.ranks = ranks
        self.shape = shape
        asked = [[UInt32]](repeating: [], count: ranks.size)
        var firsts = [0]
        slots = TableParameter.allCases.map { table in
            let count = table.rows(in: shape)
            firsts.append(firsts[firsts.count - 1] + count)
            let start = UnsafeMutablePointer<Int32>.allocate(capacity: max(1, count))
            start.initialize(repeating: -1, count: max(1, count))
            return start
        }
        self.firsts = firsts
        precondition(
            firsts[firsts.count - 1] <= Int(UInt32.max), "\(firsts[firsts.count - 1]) rows of all tables; their numbers have 32 bits")
    }

    deinit { for start in slots { start.deallocate() } }

    /// Bytes of this object.
    var bytes: Int { 4 * (fetched.count + answers.count + firsts[firsts.count - 1]) }

    /// Gets what the item and user towers read for a batch, and leaves in ``TowerParameters/fetched`` where it lies. Every rank does so at
    /// the same time, each for its own.
    ///
    /// - Parameters:
    ///   - parameters: this rank's rows.
    ///   - items: distinct item rows; users: user rows, −1 for none.
    func fetch(
        from parameters: TowerParameters, items: [Int32], content: ContentTable, users: some Sequence<Int32>, userTokens: UserTokens
    ) throws(RankError) {
        forget()
        for item in items {
            ask(.itemIDs, item)
            for index in content.starts[Int(item)]..<content.starts[Int(item) + 1] { ask(.contentTokens, content.buckets[index]) }
        }
        for user in users { for index in userTokens.range(of: user) { ask(.userTokens, userTokens.buckets[index]) } }
        let size = ranks.size, d = shape.dimension
        let counts = try ranks.gathered(asked.map { Int32($0.count) }, counts: [Int](repeating: size, count: size))
        /// What each rank asks of this one.
        let wanted = (0..<size).map { Int(counts[$0 * size + ranks.rank]) }
        let questions = try ranks.exchanged(asked.flatMap { $0 }, counts: asked.map(\.count), receiving: wanted)
        grow(&answers, to: questions.count * d)
        for (place, number) in questions.enumerated() {
            let (table, row) = address(of: number)
            (answers.start + place * d).update(from: parameters.table(table).start + parameters.shard.place(of: row) * d, count: d)
        }
        grow(&fetched, to: asked.reduce(0) { $0 + $1.count } * d)
        try ranks.exchange(
            answers.start, bytes: wanted.map { 4 * d * $0 }, into: fetched.start, bytes: asked.map { 4 * d * $0.count })
        let others = (0..<size).filter { $0 != ranks.rank }
        sentBytes += others.reduce(0) { $0 + 4 * size + 4 * asked[$1].count + 4 * d * wanted[$1] }
        var slot: Int32 = 0
        for numbers in asked {
            for number in numbers {
                let (table, row) = address(of: number)
                slots[table.rawValue][row] = slot
                slot += 1
            }
        }
        parameters.fetched = slots.map { TableRows(start: fetched.start, width: d, slots: UnsafePointer($0)) }
    }

    private func forget() {
        for owner in asked.indices {
            for number in asked[owner] {
                let (table, row) = address(of: number)
                slots[table.rawValue][row] = -1
            }
            asked[owner].removeAll(keepingCapacity: true)
        }
    }

    private func ask(_ table: TableParameter, _ row: Int32) {
        let slot = slots[table.rawValue] + Int(row)
        guard slot.pointee < 0 else { return }
        // Any number that is not negative: the right one is known once all have been asked for.
        slot.pointee = 0
        asked[Int(row) % ranks.size].append(UInt32(firsts[table.rawValue] + Int(row)))
    }

    /// The table and row of a number.
    private func address(of number: UInt32) -> (TableParameter, Int) {
        let number = Int(number)
        let table: TableParameter = number < firsts[1] ? .itemIDs : number < firsts[2] ? .contentTokens : .userTokens
        return (table, number - firsts[table.rawValue])
    }
}

extension TowerParameters {
    /// The parameters with all rows of the tables, on rank 0; nil on the others. Every rank asks at the same time.
    ///
    /// Rows travel ``gatheredRows`` of each rank at a time: beside the result rank 0 holds no more than those.
    func gathered(by ranks: any RankGroup) throws(RankError) -> TowerParameters? {
        let whole = ranks.rank == 0 ? TowerParameters(shape) : nil, d = shape.dimension, size = ranks.size
        whole?.dense.copy(from: dense)
        var chunk = FloatBuffer(0)
        for table in TableParameter.allCases {
            let counts = (0..<size).map { RowShard(rank: $0, size: size).count(of: table.rows(in: shape)) }
            for first in stride(from: 0, to: counts.max() ?? 0, by: Self.gatheredRows) {
                // Only rank 0 is handed anything.
                let parts = counts.map { max(0, min(Self.gatheredRows, $0 - first)) }
                let total = ranks.rank == 0 ? parts.reduce(0, +) : 0
                grow(&chunk, to: total * d)
                var send = [Int](repeating: 0, count: size)
                send[0] = 4 * d * parts[ranks.rank]
                let from = parts[ranks.rank] > 0 ? self.table(table).start + first * d : self.table(table).start
                try ranks.exchange(
                    from, bytes: send, into: chunk.start,
                    bytes: ranks.rank == 0 ? parts.map { 4 * d * $0 } : [Int](repeating: 0, count: size))
                guard let whole else { continue }
                var next = chunk.start
                for rank in 0..<size {
                    for place in first..<first + parts[rank] {
                        (whole.table(table).start + (place * size + rank) * d).update(from: next, count: d)
                        next += d
                    }
                }
            }
        }
        return whole
    }

    /// Rows of one rank that travel at a time: 4 MiB of 64 floats.
    static let gatheredRows = 16_384
}

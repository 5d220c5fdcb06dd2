import Testing
import TowerModel

@Suite("Rows that ranks share")
struct RowShardTests {
    @Test(arguments: [1, 2, 3, 5], [0, 1, 7, 100]) func everyRowLiesOnOneRankAtAPlaceOfItsOwn(size: Int, rows: Int) {
        let shards = (0..<size).map { RowShard(rank: $0, size: size) }
        #expect(shards.reduce(0) { $0 + $1.count(of: rows) } == rows)
        for row in 0..<rows {
            let owners = shards.filter { $0.owns(Int32(row)) }
            #expect(owners.count == 1 && owners[0].rank == owners[0].owner(of: Int32(row)))
            #expect(owners[0].place(of: row) < owners[0].count(of: rows))
        }
        for shard in shards {
            let own = (0..<rows).filter { shard.owns(Int32($0)) }
            #expect(own.map { shard.place(of: $0) } == Array(0..<own.count))
        }
        #expect(shards[0].isWhole == (size == 1))
    }

    @Test func slotsSayWhereFetchedRowsWerePut() {
        let table: [Float] = [0, 0, 10, 11, 20, 21], slots: [Int32] = [2, -1, 1]
        table.withUnsafeBufferPointer { table in
            slots.withUnsafeBufferPointer { slots in
                guard let start = table.baseAddress else { return }
                let inOrder = TableRows(start: start, width: 2), put = TableRows(start: start, width: 2, slots: slots.baseAddress)
                #expect(inOrder[1][0] == 10 && inOrder[2][1] == 21)
                #expect(put[0][0] == 20 && put[2][1] == 11)
            }
        }
    }
}

import CandidateRanking

/// A ranker whose network is linear in some signals, over what some users did: of each the items, one a day.
func countedRanker(
    _ signals: [CandidateSignal: Float], interest: Float = 1, users: [[Int32]], items: Int, levels: [(group: [Int32], count: Int)] = []
) -> CandidateRanker {
    let width = CandidateSignal.count
    var parameters = [Float](repeating: 0, count: width)
    for (signal, weight) in signals { parameters[signal.rawValue] = weight }
    let network = CandidateNetwork(
        scaling: SignalScaling(mean: [Float](repeating: 0, count: width), scale: [Float](repeating: 1, count: width)), hidden: [],
        goals: 1, parameters: parameters)
    let rows = users.flatMap(\.self), times = users.flatMap { $0.indices.map { Int64($0) * 86_400_000 } }
    let amounts = [Int64](repeating: 100, count: rows.count)
    var ranges: [Range<Int>] = []
    for user in users { ranges.append((ranges.last?.upperBound ?? 0)..<(ranges.last?.upperBound ?? 0) + user.count) }
    let tables = rows.withUnsafeBufferPointer { rows in
        times.withUnsafeBufferPointer { times in
            amounts.withUnsafeBufferPointer { amounts in
                CandidateTables(
                    CountedEvents(users: ranges, items: rows, times: times, amounts: amounts, itemCount: items), levels: levels)
            }
        }
    }
    return CandidateRanker(weights: RankerWeights(network: network, interest: interest, goals: [1]), tables: tables)
}

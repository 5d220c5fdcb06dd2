/// Orders rows so that no category fills the top: greedily, each place takes the row with the best score, where every item of a row's
/// main category that stands before it multiplied the row's odds by `discount`.
///
/// Within a category the order stays as it was. Scores are on the scale of log odds and fall along the answer.
///
/// - Parameters:
///   - rows: best first.
///   - discount: from 0 to 1; 1 leaves the order alone, 0 takes one of each category before any second one.
///   - scale: what a unit of log odds is in units of the scores, above 0.
/// - Complexity: O(count × categories)
func spread(_ rows: [RankedRow], over catalogue: Catalogue, count: Int, discount: Float, scale: Float = 1) -> [RankedRow] {
    guard discount < 1, rows.count > 1 else { return Array(rows.prefix(count)) }
    let step = naturalLogarithm(max(discount, 1e-6)) * scale
    var numbers: [String: Int] = [:]
    var queues: [[RankedRow]] = []
    for row in rows {
        let category = catalogue[row.row].categories.first ?? ""
        let number = numbers[category] ?? queues.count
        if number == queues.count {
            numbers[category] = number
            queues.append([])
        }
        queues[number].append(row)
    }
    var heads = [Int](repeating: 0, count: queues.count)
    var result: [RankedRow] = []
    while result.count < min(count, rows.count) {
        var best: (queue: Int, score: Float)?
        for queue in queues.indices where heads[queue] < queues[queue].count {
            let score = queues[queue][heads[queue]].score + Float(heads[queue]) * step
            if best == nil || score > best?.score ?? 0 { best = (queue, score) }
        }
        guard let best else { break }
        var row = queues[best.queue][heads[best.queue]]
        row.score = best.score
        heads[best.queue] += 1
        result.append(row)
    }
    return result
}

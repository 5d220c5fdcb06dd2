import CandidateRanking

/// Interactions that a test names: user, item, day, and what was paid.
struct CountedShop {
    typealias Line = (user: Int, item: Int32, day: Double, paid: Int64)
    static let day: Int64 = 86_400_000

    var lines: [Line]
    var items: Int
    /// Of each item its group, by level.
    var levels: [(group: [Int32], count: Int)] = []

    /// Tables of all lines, as of a day.
    func tables(end: Double? = nil, horizonDays: Float = 10, usesTimes: Bool = true) -> CandidateTables {
        let sorted = lines.enumerated().sorted {
            ($0.element.user, $0.element.day, $0.offset) < ($1.element.user, $1.element.day, $1.offset)
        }.map(\.element)
        let users = Set(sorted.map(\.user)).sorted().map { user in
            (sorted.firstIndex { $0.user == user } ?? 0)..<(sorted.lastIndex { $0.user == user } ?? -1) + 1
        }
        let rows = sorted.map(\.item), times = sorted.map { Int64($0.day * Double(Self.day)) }, amounts = sorted.map(\.paid)
        return rows.withUnsafeBufferPointer { rows in
            times.withUnsafeBufferPointer { times in
                amounts.withUnsafeBufferPointer { amounts in
                    CandidateTables(
                        CountedEvents(users: users, items: rows, times: times, amounts: amounts, itemCount: items),
                        end: end.map { Int64($0 * Double(Self.day)) }, levels: levels,
                        rules: CandidateTables.Rules(horizonDays: horizonDays, usesTimes: usesTimes))
                }
            }
        }
    }

    /// What a user did, as a request knows it.
    func history(of user: Int, now: Double) -> CandidateHistory {
        let own = lines.filter { $0.user == user }.sorted { $0.day < $1.day }
        return CandidateHistory(
            rows: own.map(\.item), times: own.map { Int64($0.day * Double(Self.day)) }, amounts: own.map(\.paid),
            isPurchase: own.map { $0.paid > 0 }, now: Int64(now * Double(Self.day)))
    }

    /// A shop of forty users with tastes, twenty items in four groups of two levels.
    static func made() -> CountedShop {
        let lines: [Line] = (0..<40).flatMap { user in
            (0..<12).map { step in
                let item = (user % 4) * 5 + (step * step + user) % 5
                return (user, Int32(step % 5 == 4 ? (item + 7) % 20 : item), Double(step * 9 + user % 7) + 0.25, Int64(100 + 10 * item))
            }
        }
        return CountedShop(
            lines: lines, items: 22,
            levels: [((0..<22).map { $0 < 20 ? Int32($0 / 5) : -1 }, 4), ((0..<22).map { $0 < 20 ? Int32($0 / 10) : -1 }, 2)])
    }
}

extension CandidateSignals {
    /// The signals of a row by name.
    func values(_ row: Int32) -> (CandidateSignal) -> Float {
        var values = [Float](repeating: .nan, count: CandidateSignal.count)
        values.withUnsafeMutableBufferPointer { write([row], into: $0) }
        return { [values] in values[$0.rawValue] }
    }
}

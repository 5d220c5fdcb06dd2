import TowerModel
import TowerTraining

/// A shop where order decides: after an item of number n comes n + step, and the step is that of the user's last two items. What users have
/// taken altogether says nothing, since everybody takes everything alike.
struct SequenceShop {
    static let items = 40
    let set: TrainingSet
    /// For each question: the history as item rows, and the row that follows it.
    let questions: [(history: [Int32], next: Int32)]

    init(users: Int = 300, length: Int = 14, seed: UInt64 = 3) {
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        func walk(_ length: Int) -> [Int] {
            // Odd users walk up, even ones down; the direction changes on the way, so only the last two items tell it.
            var place = random(Self.items), step = random(2) == 0 ? 1 : Self.items - 1, walked: [Int] = []
            for _ in 0..<length {
                walked.append(place)
                if random(6) == 0 { step = Self.items - step }
                place = (place + step) % Self.items
            }
            return walked
        }
        var builder = TrainingSet.Builder()
        for user in 0..<users {
            for (time, item) in walk(length).enumerated() {
                builder.append(user: "u\(user)", item: Self.id(item), time: Int64(time) * 60_000)
            }
        }
        set = builder.build()
        var rows: [String: Int32] = [:]
        for (row, id) in set.itemIDs.enumerated() { rows[id] = Int32(row) }
        questions = (0..<120).map { _ in
            let start = random(Self.items), step = random(2) == 0 ? 1 : Self.items - 1
            let walked = (0...6).map { (start + $0 * step) % Self.items }.map { rows[Self.id($0)] ?? 0 }
            return (Array(walked.dropLast()), walked[6])
        }
    }

    private static func id(_ number: Int) -> String { "i\(number / 10)\(number % 10)" }

    /// A small sequence tower without content.
    static func configuration(_ settings: [(String, String)] = []) throws -> TowerConfiguration {
        try PlantedShop.configuration(
            [
                ("user_tower", "sequence"), ("dimension", "16"), ("blocks", "2"), ("attention_heads", "2"), ("feed_forward", "24"),
                ("history_length", "8"), ("history_means", "2"), ("content", "false"), ("id_dropout", "0"), ("batch_size", "128"),
            ] + settings)
    }
}

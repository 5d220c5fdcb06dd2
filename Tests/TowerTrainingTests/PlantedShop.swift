import ContentModel
import TowerModel
import TowerTraining

/// A small shop with two tastes: users like one of two halves of the catalogue, and titles and tags tell the halves apart.
struct PlantedShop {
    static let itemsPerCluster = 30
    var set: TrainingSet
    /// Cluster by item id and by user id.
    var clusterOfItem: [String: Int] = [:]
    var clusterOfUser: [String: Int] = [:]

    static func content(cluster: Int, number: Int) -> ItemContent {
        let words = [["trail", "running", "shoe"], ["espresso", "coffee", "grinder"]][cluster]
        return ItemContent(
            title: "\(words[number % 3]) \(words[(number + 1) % 3]) model \(number)",
            description: "A \(words[(number + 2) % 3]) for everybody.",
            categories: [["outdoor", "kitchen"][cluster]], tags: [["sport", "home"][cluster]],
            priceMicros: Int64(10 + number) * 1_000_000, attributes: ["brand=b\(number % 5 + 5 * cluster)"],
            embedding: [cluster == 0 ? 1 : -1, Float(number) / 30, 0.5], publishedAt: 1_600_000_000_000 + Int64(number) * 86_400_000)
    }

    /// - Parameters:
    ///   - users: number of users, half of each taste. - length: events of each.
    ///   - content: whether items carry content, or ids alone. - types: whether types and times vary.
    init(users: Int = 200, length: Int = 12, content: Bool = true, types: Bool = false, seed: UInt64 = 5) {
        var state = seed
        func random(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        var builder = TrainingSet.Builder()
        for cluster in 0..<2 {
            for number in 0..<Self.itemsPerCluster {
                let id = "i\(cluster)-\(number)"
                clusterOfItem[id] = cluster
                if content { builder.addItem(id, content: Self.content(cluster: cluster, number: number)) }
            }
        }
        for user in 0..<users {
            let id = "u\(user)", cluster = user % 2
            clusterOfUser[id] = cluster
            builder.addUser(id, attributes: ["taste=\(cluster)", "age=\(random(5))"])
            var time: Int64 = 1_700_000_000_000
            for _ in 0..<length {
                // One event in ten is against the taste.
                let own = random(10) == 0 ? 1 - cluster : cluster
                if types { time += Int64(random(3_000_000)) }
                builder.append(
                    user: id, item: "i\(own)-\(random(Self.itemsPerCluster))", type: types ? UInt8(1 + random(3)) : 1, time: time)
            }
        }
        set = builder.build()
    }

    /// A configuration small enough for tests.
    static func configuration(_ settings: [(String, String)] = []) throws -> TowerConfiguration {
        var configuration = try TowerConfiguration(preset: "small")
        let base = [
            ("dimension", "16"), ("heads", "2"), ("history_length", "6"), ("hidden", "16"), ("content_hidden", "8"),
            ("text_buckets", "256"), ("tag_buckets", "256"), ("user_buckets", "64"), ("batch_size", "64"), ("epochs", "6"),
            ("learning_rate", "0.01"), ("table_learning_rate", "0.01"), ("id_dropout", "0.3"), ("attribute_dropout", "0.3"),
            ("threads", "2"),
        ]
        for (key, value) in base + settings { try configuration.set(key, value) }
        return configuration
    }
}

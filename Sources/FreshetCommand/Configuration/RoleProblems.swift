import EventStream
import Intake
import TowerModel

extension Configuration {
    /// What the roles would refuse when they build what they need from the settings, by part: for `freshet doctor`, which starts none.
    var roleProblems: [(part: String, problem: String)] {
        var problems: [(part: String, problem: String)] = []
        func check(_ part: String, _ build: () throws -> Void) {
            do {
                try build()
            } catch {
                problems.append((part, "\(error)"))
            }
        }
        check("ingest settings") { _ = try decodingRules() }
        check("ingest settings") { if let registry = schemaRegistry { _ = try SchemaRegistry(registry) } }
        check("training settings") { _ = try towerConfiguration(hasTeacher: integer(.trainTeacher) > 0) }
        check("training settings") { _ = try ratingRules() }
        check("training settings") { _ = try headBalances() }
        check("service settings") { _ = try apiConfiguration() }
        check("currency settings") { _ = try currencyRates() }
        check("kafka settings") { try StreamProducer(kafkaSettings, mode: .latency).close(timeoutMilliseconds: 0) }
        check("kafka settings") { try StreamConsumer(reading: kafkaSettings).close() }
        // What both a producer and a consumer refuse is one problem.
        return problems.enumerated().filter { place, found in !problems[..<place].contains { $0 == found } }.map(\.element)
    }

}

import Interactions
import Testing

/// What the tests of mappings share.
enum Mapped {
    /// A path that is right.
    static func path(_ text: String) -> RecordPath {
        do { return try RecordPath(text) } catch { preconditionFailure("\(text) \(error.detail)") }
    }

    /// The first value of some paths.
    static func from(_ paths: String...) -> FieldSource { FieldSource(paths: paths.map(path)) }

    /// A mapping of events whose user, item, type and time stand in a record's own names.
    static func events(_ fields: [String: FieldSource] = [:], each: TopicMapping.Lines? = nil) -> TopicMapping {
        let plain = ["event_id": from("$.id"), "user_id": from("$.u"), "item_id": from("i"), "type": from("$.t"), "timestamp": from("$.at")]
        return TopicMapping(kind: .events, each: each, fields: plain.merging(fields) { $1 })
    }

    /// The rest of a record that such a mapping reads, without braces.
    static let plain = #""id":"e1","u":"u1","i":"i1","t":"click","at":1790000000000"#

    /// What a record becomes: texts of Freshet's own records, `left out` and `refused CODE FIELD`, each with the line's place in front.
    static func all(_ mapping: TopicMapping, _ record: String, rules: DecodingRules = DecodingRules()) -> [String] {
        all(RecordMapper(mapping, rules: rules), Array(record.utf8))
    }

    static func all(_ mapper: RecordMapper, _ record: [UInt8]) -> [String] {
        withRaw(record) { bytes in
            var found: [String] = []
            do throws(Rejection) {
                try mapper.map(bytes) { line, outcome in
                    let place = line.map { "\($0): " } ?? ""
                    switch outcome {
                    case .record(let own): found.append(place + String(decoding: own, as: UTF8.self))
                    case .leftOut: found.append(place + "left out")
                    case .refused(let rejection): found.append(place + shown(rejection))
                    }
                }
            } catch {
                found.append(shown(error))
            }
            return found
        }
    }

    private static func shown(_ rejection: Rejection) -> String {
        "refused \(rejection.code.rawValue) \(rejection.field ?? "-")"
    }

    /// The events that a record becomes, each decoded as any other, or why not.
    static func decoded(
        _ mapping: TopicMapping, _ record: String, rules: DecodingRules = DecodingRules()
    ) -> [Result<Interaction, Rejection>] {
        let mapper = RecordMapper(mapping, rules: rules), decoder = RecordDecoder(rules: rules)
        return withRaw(Array(record.utf8)) { bytes in
            var found: [Result<Interaction, Rejection>] = []
            do throws(Rejection) {
                try mapper.map(bytes) { _, outcome in
                    switch outcome {
                    case .record(let own):
                        found.append(decoder.interaction(own, origin: kafkaOrigin, now: testNow).mapError { mapper.explained($0) })
                    case .leftOut: break
                    case .refused(let rejection): found.append(.failure(rejection))
                    }
                }
            } catch {
                found.append(.failure(error))
            }
            return found
        }
    }
}

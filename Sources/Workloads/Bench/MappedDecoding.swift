import Bytes
import Console
import Interactions

/// The events of the ingest benchmark in a shop's own shape, about as long, decoded through a mapping: what a mapping costs beside
/// records of Freshet's own.
struct MappedDecoding {
    private let records: [[UInt8]]

    /// Writes events of Freshet's own in the other shape: nested names, words for types, microseconds, cents.
    init(_ own: [String]) {
        let decoder = RecordDecoder()
        let origin = RecordOrigin(source: "bench", cluster: "bench", position: Position(partition: 0, offset: 0))
        records = own.map { text in
            Array(text.utf8).withUnsafeBytes { bytes in
                guard case .success(let event) = decoder.interaction(bytes, origin: origin, now: Self.now) else { return [] }
                return Self.foreign(event)
            }
        }
    }

    private static let now = EventTime(milliseconds: 1_900_000_000_000)

    private static func foreign(_ event: Interaction) -> [UInt8] {
        var writer = JSONWriter(reservingBytes: 256)
        writer.object { record in
            record.field("id", event.eventID)
            record.field("name", event.type == .purchase ? "purchase" : "view_item")
            record.field("ts", event.time.milliseconds * 1_000)
            record.key("payload")
            record.object { payload in
                payload.key("user")
                payload.object { user in
                    user.field("id", event.userID)
                    user.field("session", event.sessionID)
                }
                payload.field("sku", event.itemID)
                payload.field("cents", event.priceMicros.map { $0 / 10_000 })
                payload.field("cur", event.currency)
                payload.field("n", event.priceMicros == nil ? nil : event.quantity)
            }
            record.field("ctx", raw: event.context)
        }
        return writer.bytes
    }

    private static let mapping: TopicMapping = {
        func from(_ path: String) -> FieldSource {
            do { return FieldSource(paths: [try RecordPath(path)]) } catch { preconditionFailure("\(path) \(error.detail)") }
        }
        var type = from("name"), time = from("ts"), value = from("payload.cents")
        type.words = ["view_item": #""click""#, "purchase": #""purchase""#]
        time.unit = .microseconds
        value.isInMinorUnits = true
        return TopicMapping(
            kind: .events, conditions: [.init(path: from("name").paths[0], .isOneOf(["view_item", "purchase"]))],
            fields: [
                "event_id": from("id"), "type": type, "user_id": from("payload.user.id"), "item_id": from("payload.sku"), "timestamp": time,
                "session_id": from("payload.user.session"), "value": value, "currency": from("payload.cur"), "quantity": from("payload.n"),
                "context": from("ctx"),
            ])
    }()

    /// One core, no broker, no database: bytes to checked values.
    func seconds() -> Double {
        let rules = DecodingRules()
        let mapper = RecordMapper(Self.mapping, rules: rules), decoder = RecordDecoder(rules: rules)
        let origin = RecordOrigin(source: "bench", cluster: "bench", position: Position(partition: 0, offset: 0))
        var accepted = 0
        let start = ContinuousClock.now
        for record in records {
            record.withUnsafeBytes { bytes in
                do throws(Rejection) {
                    try mapper.map(bytes) { _, outcome in
                        guard case .record(let own) = outcome else { return }
                        if case .success = decoder.interaction(own, origin: origin, now: Self.now) { accepted += 1 }
                    }
                } catch {}
            }
        }
        let seconds = start.duration(to: .now).inSeconds
        precondition(accepted == records.count, "\(records.count - accepted) of the benchmark's own events were refused once mapped")
        return seconds
    }
}

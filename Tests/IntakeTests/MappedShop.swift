import Interactions

/// A shop whose orders and clicks have shapes of their own, and how they are mapped.
enum MappedShop {
    private static func from(_ path: String) -> FieldSource {
        do { return FieldSource(paths: [try RecordPath(path)]) } catch { preconditionFailure("\(path) \(error.detail)") }
    }

    private static func path(_ text: String) -> RecordPath { from(text).paths[0] }

    /// By topic.
    static let mappings: [String: TopicMapping] = {
        var time = from("$.order.placed"), price = from("cents"), name = from("name")
        time.unit = .seconds
        price.isInMinorUnits = true
        name.words = ["view_item": #""click""#, "add": #""add_to_cart""#]
        return [
            "shop.orders": TopicMapping(
                kind: .events, each: .init(path: path("lines")), conditions: [.init(path: path("sku"), .isNoneOf(["shipping"]))],
                fields: [
                    "event_id": from("$.order.id"), "user_id": from("$.order.buyer"), "item_id": from("sku"), "timestamp": time,
                    "type": FieldSource(otherwise: #""purchase""#), "value": price,
                ]),
            "shop.clicks": TopicMapping(
                kind: .events, conditions: [.init(path: path("name"), .isOneOf(["view_item", "add"]))],
                fields: [
                    "event_id": from("id"), "user_id": from("user"), "item_id": from("payload.item.sku"), "timestamp": from("at"),
                    "type": name,
                ]),
        ]
    }()

    /// An order as the shop sends it.
    static func order(_ id: String, user: String, lines: [String], seconds: Int64 = 1_790_000_000) -> String {
        let items = lines.map { #"{"sku":"\#($0)","cents":1999}"# }.joined(separator: ",")
        return #"{"order":{"id":"\#(id)","buyer":"\#(user)","placed":\#(seconds)},"lines":[\#(items)],"note":"\u00fc"}"#
    }

    /// A click as the shop sends it.
    static func click(_ id: String, user: String, item: String) -> String {
        #"{"id":"\#(id)","name":"view_item","user":"\#(user)","at":"2026-11-01T08:00:00Z","payload":{"item":{"sku":"\#(item)"}}}"#
    }
}

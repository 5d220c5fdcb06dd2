import Bytes
import ForeignFormats
import Interactions

/// Metarank's events of nobody in particular, and its lists, as events of our own.
package enum MetarankSlate {
    /// The session of an event that names neither a user nor a session, before the id of its list or its own.
    package static let session = "ranking-"

    /// An event that says whose it is: that of its list where it names nobody.
    package static func named(_ event: [UInt8]) throws(Rejection) -> [UInt8] {
        guard case .object(var members) = try GorseObjects.tree(event) else { return event }
        func text(_ name: String) -> String? {
            if case .text(let text) = members.last(where: { $0.name == name })?.value { text } else { nil }
        }
        if text("user_id") != nil || text("session_id") != nil { return event }
        let id = text("request_id") ?? text("event_id") ?? ""
        members.append(JSONTree.Member(name: "session_id", value: .text(session + id)))
        return Array(JSONTree.object(members).text.utf8)
    }

    /// An event for each item of a list, by its place.
    package static func impressions(_ slate: [UInt8]) throws(Rejection) -> [[UInt8]] {
        let object = try ForeignObject(GorseObjects.tree(slate))
        guard case .list(let items) = object["items"], let id = object.text("request_id"), let time = object.text("timestamp") else {
            return []
        }
        var events: [[UInt8]] = []
        for (slot, item) in items.enumerated() {
            let itemID = try ForeignObject(item).required("item_id")
            var writer = JSONWriter(reservingBytes: 256)
            writer.object { event in
                event.field("event_id", "metarank/\(id)/\(slot)")
                event.field("type", InteractionType.impression.name)
                event.field("user_id", object.text("user_id"))
                event.field("item_id", itemID)
                event.field("timestamp", time)
                event.field("session_id", object.text("session_id"))
                event.field("request_id", id)
                event.field("slot", slot)
            }
            events.append(try named(writer.bytes))
        }
        return events
    }
}

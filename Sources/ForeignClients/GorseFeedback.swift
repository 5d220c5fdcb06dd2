import Bytes
import ForeignFormats
import Interactions

/// Feedback as a client of Gorse sends it.
package struct GorseFeedback: Sendable, Equatable {
    /// The sender's name for what was done.
    package var type: String
    /// Who did it; empty in sessions.
    package var userID: String
    /// With which item.
    package var itemID: String
    /// When the sender says it was; nil where it does not.
    package var time: EventTime?
    /// The digits of the value; nil for 0.
    private var value: String?
    /// A clock may be ahead by so much and still be believed.
    private static let aheadMilliseconds: Int64 = 60_000
    private var labels: JSONTree?
    private var comment: String?

    /// Reads one.
    ///
    /// - Parameter needsUser: false in sessions.
    package init(_ tree: JSONTree, needsUser: Bool = true) throws(Rejection) {
        let object = try ForeignObject(tree)
        type = try needsUser ? object.required("FeedbackType") : object.text("FeedbackType") ?? ""
        userID = try needsUser ? object.required("UserId") : object.text("UserId") ?? ""
        itemID = try object.required("ItemId")
        var times = ForeignTime(rules: TimeRules())
        time = try object.time("Timestamp", &times)
        switch object["Value"] {
        case nil: break
        case .number(let digits): value = Double(digits) == 0 ? nil : digits
        default: throw Rejection(.wrongType, field: "Value", "must be a number")
        }
        try GorseLabels.check(object["Labels"])
        labels = object["Labels"]
        comment = object.text("Comment")
    }

    /// Of a body's feedback the first of each type, user and item: Gorse counts no other.
    package static func firsts(_ feedback: [GorseFeedback]) -> [GorseFeedback] {
        var seen: Set<[String]> = []
        return feedback.filter { seen.insert([$0.type, $0.userID, $0.itemID]).inserted }
    }

    /// The event that it becomes.
    ///
    /// - Parameters:
    ///   - knownTypes: names that events may have; another one counts as a click, and keeps its name in the context.
    ///   - now: when it came: the time of what has none, or one that lies ahead.
    ///   - salt: makes an event of its own of what is sent again; nil derives the id from type, user, item and time, so that it counts
    ///     once.
    package func event(knownTypes: Set<String>, now: EventTime, salt: String?) -> [UInt8] {
        let stated = time ?? now
        let isAhead = stated.milliseconds > now.milliseconds + Self.aheadMilliseconds
        var context = [JSONTree.Member(name: Feedback.Field.type, value: .text(type))]
        if isAhead { context.append(JSONTree.Member(name: Feedback.Field.time, value: .text(stated.rfc3339()))) }
        if let value { context.append(JSONTree.Member(name: Feedback.Field.value, value: .number(value))) }
        if let comment { context.append(JSONTree.Member(name: Feedback.Field.comment, value: .text(comment))) }
        if let labels { context.append(JSONTree.Member(name: Feedback.Field.labels, value: labels)) }
        var id = GorseFeedbackKey.text(type: type, user: userID, item: itemID, time: stated)
        if let salt { id = GorseFeedbackKey.text(type: "\(type)#\(salt)", user: userID, item: itemID, time: stated) }
        var writer = JSONWriter(reservingBytes: 512)
        writer.object { event in
            event.field("event_id", id)
            event.field("type", knownTypes.contains(type) ? type : InteractionType.click.name)
            event.field("user_id", userID)
            event.field("item_id", itemID)
            event.field("timestamp", isAhead ? now : stated)
            event.key("context")
            JSONTree.object(context).write(to: &event)
        }
        return writer.bytes
    }

    /// The event that takes feedback back; nil of ``type`` stands for all of the pair.
    package static func deletion(userID: String, itemID: String, type: String?) -> [UInt8] {
        var writer = JSONWriter(reservingBytes: 160)
        writer.object { event in
            event.field("type", Retraction.type)
            event.field("user_id", userID)
            event.field("item_id", itemID)
            event.field("feedback_type", type)
        }
        return writer.bytes
    }
}

extension Feedback {
    /// Feedback as clients of Gorse read it.
    package func writeForGorse(to writer: inout JSONWriter) {
        writer.object { object in
            object.field("FeedbackType", type)
            object.field("UserId", userID)
            object.field("ItemId", itemID)
            object.key("Value")
            object.plainNumber(value)
            object.field("Timestamp", GorseText.time(time))
            object.field("Updated", GorseText.time(updated))
            object.field("Labels", raw: labels ?? "null")
            object.field("Comment", comment)
        }
    }
}

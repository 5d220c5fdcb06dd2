import Bytes
import Interactions

/// The id of the event that a feedback of Gorse becomes, whether it comes in an export or from a client: the same feedback counts once.
package enum GorseFeedbackKey {
    /// The longest id that is made of a feedback's own key; a longer one becomes its hash.
    private static let keyLimitBytes = 200

    /// Gorse keeps one feedback of a type, a user and an item; each moment is an event of its own here.
    package static func text(type: String, user: String, item: String, time: EventTime) -> String {
        let key = "gorse/\(part(type))/\(part(user))/\(part(item))/\(time.milliseconds)"
        if key.utf8.count <= keyLimitBytes { return key }
        return "gorse/\(Hexadecimal.text(Array(key.utf8).withUnsafeBytes(FileChecksum.of)))/\(time.milliseconds)"
    }

    /// A part of an id that is parted by slashes, so that `a/b` and `c` are other parts than `a` and `b/c`.
    private static func part(_ text: String) -> String {
        text.replacing("%", with: "%25").replacing("/", with: "%2F")
    }
}

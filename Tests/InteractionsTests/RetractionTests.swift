import Interactions
import Testing

/// Events that take feedback back.
struct RetractionTests {
    private static func retraction(_ record: String) -> Result<Retraction?, Rejection> {
        let origin = RecordOrigin(source: "t", cluster: "k", position: Position(partition: 1, offset: 2))
        return Array(record.utf8).withUnsafeBytes { RecordDecoder().retraction($0, origin: origin) }
    }

    /// The same id in another space is somebody else.
    @Test func theUserHasTheSpaceInFront() throws {
        let plain = try Self.retraction(#"{"type":"feedback_deletion","user_id":"7","item_id":"i1"}"#).get()
        #expect(plain?.userID == "7" && plain?.itemID == "i1" && plain?.feedbackType == nil)
        let named = #"{"type":"feedback_deletion","user_id":7,"id_space":"app","item_id":"i1","feedback_type":"like"}"#
        let spaced = try Self.retraction(named).get()
        #expect(spaced?.userID == "app:7" && spaced?.feedbackType == "like")
        let refused = Self.retraction(#"{"type":"feedback_deletion","user_id":"7","id_space":"session","item_id":"i1"}"#)
        guard case .failure(let rejection) = refused else { return #expect(Bool(false), "session is no space") }
        #expect(rejection.field == "id_space")
    }
}

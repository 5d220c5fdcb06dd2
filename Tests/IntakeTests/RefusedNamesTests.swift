import FeatureStore
import Features
import Intake
import Interactions
import Testing

@Suite("Refused records keep the name of whom they are about")
struct RefusedNamesTests {
    private static func refused(_ kind: RecordKind, key: String? = nil, _ value: String) -> RejectedRecord? {
        var intake = RecordIntake(rules: DecodingRules(idForm: .nfc), featureRules: FeatureRules())
        intake.add(kind, key: key.map { Array($0.utf8) }, value: value)
        return intake.batch.rejections.first
    }

    private static func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }

    @Test("the key of a line is the id that it tells, malformed lines too", arguments: [
        (RecordKind.events, #"{"user_id":"u1","type":"nonsense","item_id":"i1","timestamp":1700000000000}"#, "u1", "u1"),
        (.events, #"{"type":"click","user_id":"u1","item_id":"#, "u1", "u1"),
        (.events, #"{"session_id":"s4","type":"click"}"#, "session:s4", "session:s4"),
        (.users, #"{"user_id":"u1","attributes":[1]}"#, "u1", "u1"), (.impressions, #"{"request_id":"r","user_id":"u1"}"#, "u1", "u1"),
        (.items, #"{"item_id":"i1","price":"x"}"#, "i1", nil), (.events, "{\"user_id\":\"e\u{301}\",", "\u{e9}", "\u{e9}"),
        (.events, "[1,2", nil, nil),
    ] as [(RecordKind, String, String?, String?)])
    func keys(_ kind: RecordKind, _ line: String, _ key: String?, _ user: String?) throws {
        let letter = try #require(Self.refused(kind, line))
        #expect(Self.text(letter.key).map { Array($0.utf8) } == key.map { Array($0.utf8) })
        #expect(Self.text(letter.userID).map { Array($0.utf8) } == user.map { Array($0.utf8) })
    }

    @Test("a key of its own stays, beside the user that the record names")
    func ownKey() throws {
        let letter = try #require(Self.refused(.events, key: "shop-7", #"{"user_id":"u1","type":"nonsense"}"#))
        #expect(Self.text(letter.key) == "shop-7" && Self.text(letter.userID) == "u1")
    }

    @Test("of a line that is too long its beginning tells")
    func tooLong() {
        var intake = RecordIntake(rules: DecodingRules(idForm: .nfc), featureRules: FeatureRules())
        let origin = RecordOrigin(source: "file:events:a:1", cluster: "", position: Position(partition: -1, offset: 0))
        Array(#"{"user_id":"u1","context":{"#.utf8).withUnsafeBytes {
            intake.addOversized(.events, bytes: 5_000_000, head: $0, origin: origin)
        }
        #expect(Self.text(intake.batch.rejections.first?.key) == "u1")
    }
}

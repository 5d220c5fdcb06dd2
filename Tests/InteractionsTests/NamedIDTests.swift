import Interactions
import Testing

@Suite("Whom a refused record names")
struct NamedIDTests {
    @Test(arguments: [
        (#"{"user_id":"u1","type":"x"}"#, "u1"), (#"{"type":"click", "user_id" : "u 1" , broken"#, "u 1"), (#"{"user_id":42}"#, "42"),
        (#"{user_id: u1}"#, "u1"), (#"{'userId':'it\'s'}"#, "it's"), (#"{"user_id":"a\u00e9\n\"b"#, "aé\n\"b"),
        (#"{"user_id":"\ud83d\ude00"}"#, "😀"),
        (#"{"session_id":"s4","item_id":"i1""#, "session:s4"), (#"{"user_id":null,"session_id":"s4"}"#, "session:s4"),
        (#"{"superuser_id":"x","user_id":"u1"}"#, "u1"), (#"{"user_id":"cut her"#, "cut her"), ("{\"user_id\":\n\t\"u1\"", "u1"),
        (#"[{"user_id":"u1"}]"#, "u1"),
    ])
    func found(_ record: String, _ user: String) {
        #expect(Array(record.utf8).withUnsafeBytes { NamedID.user(in: $0) } == Array(user.utf8))
    }

    @Test(arguments: [
        "", "no JSON", #"{"user_id""#, #"{"user_id":"#, #"{"user_id":""}"#, #"{"user":"u1"}"#, "user_id u1", #"{"item_id":"i1"}"#,
    ])
    func nobody(_ record: String) {
        #expect(Array(record.utf8).withUnsafeBytes { NamedID.user(in: $0) } == nil)
    }

    @Test(arguments: [
        (#"{"type":"boo","timestamp":"2026-11-30T01:30:00Z"}"#, 1_796_002_200_000 as Int64?),
        (#"{"timestamp":1796002200000"#, 1_796_002_200_000),
        (#"{"timestamp":"1796002200000"}"#, 1_796_002_200_000), (#"{"timestamp":"yesterday"}"#, nil), (#"{"time":1}"#, nil), ("", nil),
    ])
    func ownTime(_ record: String, _ milliseconds: Int64?) {
        #expect(Array(record.utf8).withUnsafeBytes { NamedID.time(in: $0)?.milliseconds } == milliseconds)
    }

    @Test func bytesOfAnyKindAndLength() {
        let latin: [UInt8] = Array(#"{"user_id":"caf"#.utf8) + [0xE9] + Array(#"","#.utf8)
        #expect(latin.withUnsafeBytes { NamedID.user(in: $0) } == Array("caf".utf8) + [0xE9])
        let long = Array((#"{"user_id":""# + String(repeating: "x", count: 100_000)).utf8)
        #expect(long.withUnsafeBytes { NamedID.user(in: $0) }?.count == NamedID.idBytesLimit)
        let far = Array((String(repeating: "user_id ", count: NamedID.searchedBytesLimit / 8) + #""user_id":"u1""#).utf8)
        #expect(far.withUnsafeBytes { NamedID.user(in: $0) } == nil)
        #expect(Array(#"{"item_id":"i1""#.utf8).withUnsafeBytes { NamedID.item(in: $0) } == Array("i1".utf8))
    }
}

import Interactions
import Testing

@Suite("Spaces of ids")
struct IDSpaceTests {
    private func click(_ members: String) -> Result<Interaction, Rejection> {
        decode(#"{"event_id":"e","type":"click","item_id":"i","timestamp":1790000000000,\#(members)}"#)
    }

    private func identity(_ members: String) -> Result<Identity?, Rejection> {
        withRaw(Array(#"{"type":"identify",\#(members)}"#.utf8)) {
            RecordDecoder().identity($0, origin: kafkaOrigin, now: testNow)
        }
    }

    private func refusal<Value>(_ result: Result<Value, Rejection>) -> String? {
        if case .failure(let rejection) = result { "\(rejection.code) \(rejection.field ?? "")" } else { nil }
    }

    @Test("an event's user has the space before the id; without one nothing changes", arguments: [
        (#""user_id":"7","id_space":"app""#, "app:7"), (#""id_space":"app","user_id":7"#, "app:7"), (#""user_id":"7""#, "7"),
        (#""user_id":"7","id_space":null"#, "7"), (#""user_id":"7","id_space":"""#, "7"), (#""user_id":"7","id_space":2"#, "2:7"),
        (#""user_id":"7","id\u005fspace":"app""#, "app:7"), (#""user_id":"a:b","id_space":"W-e_b""#, "W-e_b:a:b"),
        (#""session_id":"s4","id_space":"app""#, "session:s4"), (#""user_id":"app:7""#, "app:7"),
    ])
    func events(members: String, user: String) throws {
        #expect(try click(members).get().userID == user)
    }

    @Test("an event of a space is the one with the id written out")
    func sameContent() throws {
        let joined = try click(#""user_id":"7","id_space":"app""#).get(), written = try click(#""user_id":"app:7""#).get()
        #expect(joined == written && joined.payloadHash == written.payloadHash)
    }

    @Test("what is no space is refused by the field's name, in every record", arguments: [
        (#""session""#, "outOfRange"), (#""a b""#, "outOfRange"), (#""a:b""#, "outOfRange"), (#""é""#, "outOfRange"),
        (#""@""#, "outOfRange"), (#""{""#, "outOfRange"),
        (#""aaaaaaaaaabbbbbbbbbbccccccccccddd""#, "outOfRange"), ("true", "wrongType"), (#"["app"]"#, "wrongType"), ("1.5", "wrongType"),
        (#""a\u0000""#, "controlCharacter"), ("-1.0", nil as String?), (#""aaaaaaaaaabbbbbbbbbbccccccccccdd""#, nil),
    ])
    func refusals(space: String, code: String?) {
        let wanted = code.map { "\($0) id_space" }
        #expect(refusal(click(#""user_id":"7","id_space":\#(space)"#)) == wanted)
        #expect(refusal(click(#""session_id":"7","id_space":\#(space)"#)) == wanted)
        #expect(refusal(decodeUser(#"{"user_id":"7","id_space":\#(space)}"#)) == wanted)
        #expect(refusal(identity(#""user_id":"7","anonymous_id":"8","id_space":\#(space)"#)) == wanted)
        let slate = #"{"request_id":"r","timestamp":1790000000000,"items":[{"item_id":"i"}],"user_id":"7","id_space":\#(space)}"#
        #expect(refusal(decodeSlate(slate)) == wanted)
        let other = refusal(identity(#""user_id":"7","anonymous_id":"8","anonymous_id_space":\#(space)"#))
        #expect(other == code.map { "\($0) anonymous_id_space" })
    }

    @Test("the id with its space and the colon has 256 bytes at most")
    func bound() throws {
        let most = String(repeating: "x", count: 252)
        #expect(try click(#""user_id":"\#(most)","id_space":"app""#).get().userID == "app:" + most)
        #expect(refusal(click(#""user_id":"\#(most)x","id_space":"app""#)) == "tooLarge user_id")
        #expect(refusal(decodeUser(#"{"user_id":"\#(most)x","id_space":"app"}"#)) == "tooLarge user_id")
        // A session's person has a longer name by itself, and with a space is an id as any other.
        #expect(refusal(click(#""user_id":"session:\#(most)","id_space":"app""#)) == "tooLarge user_id")
        #expect(refusal(click(#""id_space":"app","user_id":"""#)) == "missingField user_id")
    }

    @Test("users, answers that were shown, and identities have spaces; aliases are taken as written")
    func otherRecords() throws {
        let user = try decodeUser(#"{"user_id":"7","id_space":"app","aliases":["7","web:7","app:7","session:s4"]}"#).get()
        #expect(user.userID == "app:7" && user.aliases == ["7", "web:7", "session:s4"])
        let shown = try decodeSlate(
            #"{"request_id":"r","timestamp":1790000000000,"items":[{"item_id":"i"}],"user_id":"7","id_space":"app"}"#).get()
        #expect(shown.map(\.userID) == ["app:7"])
        let both = try identity(#""user_id":7,"id_space":"app","anonymous_id":"7","anonymous_id_space":"web""#).get()
        #expect(both == Identity(userID: "app:7", alias: "web:7"))
        let one = try identity(#""user_id":"7","id_space":"app","anonymous_id":"session:s4""#).get()
        #expect(one == Identity(userID: "app:7", alias: "session:s4"))
    }

    @Test("a user of a space is written, and read again, as the joined id")
    func roundTrip() throws {
        let record = try decodeUser(#"{"user_id":"7","id_space":"app","personalised":false}"#).get()
        let again = try decodeUser(record.json()).get()
        #expect(again.userID == "app:7" && again.personalised == false)
    }

    @Test("lists of users and keys name whole ids, or the two members")
    func identifiers() {
        func id(_ text: String, _ field: String = "user_id") -> String? {
            withRaw(Array(text.utf8)) { try? RecordDecoder().identifierLine($0, field: field).get() }
        }
        #expect(id("app:7") == "app:7" && id(#"{"user_id":"7","id_space":"app"}"#) == "app:7" && id(#"{"user_id":"7"}"#) == "7")
        #expect(id(#"{"item_id":"7","id_space":"app"}"#, "item_id") == "7")
        #expect(id(#"{"user_id":"7","id_space":"session"}"#) == nil)
    }

    @Test("a refused record names its user with the space, if it is one", arguments: [
        (#"{"user_id":"7","id_space":"app","type":"boo"}"#, "app:7"), (#"{"id_space":"app","user_id":7,broken"#, "app:7"),
        (#"{"user_id":"7","id_space":"a b"}"#, "7"), (#"{"user_id":"7","anonymous_id_space":"web"}"#, "7"),
        (#"{"session_id":"7","id_space":"app"}"#, "session:7"),
    ])
    func named(record: String, user: String) {
        #expect(withRaw(Array(record.utf8)) { NamedID.user(in: $0) } == Array(user.utf8))
    }

    @Test("mapped topics have a constant space, or one by a path")
    func mapped() {
        func user(_ mapping: TopicMapping, _ record: String) -> String? {
            let own = Mapped.all(mapping, record).first ?? ""
            return try? decode(own).get().userID
        }
        let constant = Mapped.events(["id_space": FieldSource(otherwise: #""web""#)])
        #expect(user(constant, "{\(Mapped.plain)}") == "web:u1")
        var source = Mapped.from("$.app")
        let path = Mapped.events(["id_space": source])
        #expect(user(path, "{\(Mapped.plain),\"app\":\"ios\"}") == "ios:u1" && user(path, "{\(Mapped.plain)}") == "u1")
        source.words = ["1": #""ios""#]
        let words = Mapped.events(["id_space": source])
        #expect(user(words, "{\(Mapped.plain),\"app\":1}") == "ios:u1")
        func named(_ mapping: TopicMapping, _ record: String) -> String? {
            let mapper = RecordMapper(mapping, rules: DecodingRules())
            return withRaw(Array(record.utf8)) { mapper.user(in: $0) }.map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(named(constant, "{\(Mapped.plain)}") == "web:u1" && named(path, "{\(Mapped.plain),\"app\":\"ios\"}") == "ios:u1")
        #expect(named(words, "{\(Mapped.plain),\"app\":1}") == "ios:u1" && named(path, "{\(Mapped.plain)}") == "u1")
        #expect(named(path, "{\(Mapped.plain),\"app\":\"ios\", broken") == "ios:u1")
    }
}

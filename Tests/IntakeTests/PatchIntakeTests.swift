import FeatureStore
import Features
import Intake
import Interactions
import Testing

@Suite("Patches come with the records")
struct PatchIntakeTests {
    private func intake() -> RecordIntake { RecordIntake(rules: DecodingRules(idForm: .nfc), featureRules: FeatureRules()) }

    @Test func bothTopicsTakeThem() {
        var intake = intake()
        intake.add(.items, value: #"{"item_id":"i1","patch":true,"price":5}"#, time: Intakes.now)
        intake.add(.users, value: #"{"user_id":"u1","patch":true,"attributes":{"a":1}}"#, time: Intakes.now)
        intake.add(.items, value: #"{"item_id":"i1","patch":true}"#, time: Intakes.now)
        intake.add(.items, value: #"{"item_id":"i1","patch":1}"#, time: Intakes.now)
        guard case .patch(let item)? = intake.batch.items.first?.change, case .patch(let user)? = intake.batch.users.first?.change else {
            Issue.record("no patches")
            return
        }
        #expect(item.values.priceMicros == 5_000_000 && user.members == ["a": .value("1")])
        #expect(intake.batch.items.count == 1, "what changes nothing is not stored")
        #expect(intake.leftOut == 1 && intake.leftOutReason == "the patch names no field", "and is counted, so that sums add up")
        #expect(intake.batch.rejections.map(\.rejection.field) == ["patch"])
    }

    @Test func aBatchOfThemIsSmallerThanOneOfEvents() {
        var intake = intake()
        var count = 0
        while !intake.isFull(batchRecords: 50_000) {
            intake.add(.items, value: #"{"item_id":"i\#(count)","patch":true,"price":5}"#, time: Intakes.now)
            count += 1
        }
        #expect(count == 10_000)
        _ = intake.take(offsets: [])
        #expect(!intake.isFull(batchRecords: 50_000))
    }

    @Test("the key of a patch is not that of its record, and emptied it deletes nobody", arguments: ["i9", #"a "b""#, "{x}"])
    func keys(id: String) {
        let patch = RecordKey.bytes(ofPatch: id, of: ItemRecord.self)
        #expect(patch != RecordKey.bytes(of: id))
        var intake = intake()
        intake.add(.items, key: patch, value: nil, time: Intakes.now)
        intake.add(.users, key: RecordKey.bytes(ofPatch: id, of: UserRecord.self), value: nil, time: Intakes.now)
        #expect(intake.batch.items.isEmpty && intake.batch.users.isEmpty && intake.batch.rejections.isEmpty && intake.records == 2)
        #expect(intake.leftOut == 2)
        intake.add(.items, key: RecordKey.bytes(of: id), value: nil, time: Intakes.now)
        #expect(intake.batch.items.count == 1)
    }

    @Test func aMappedTopicOfPricesChangesPricesOnly() throws {
        let fields = [
            "item_id": FieldSource(paths: [try RecordPath("sku")]), "price": FieldSource(paths: [try RecordPath("new.price")]),
            "patch": FieldSource(otherwise: "true"),
        ]
        let mapping = TopicMapping(kind: .items, fields: fields)
        var intake = RecordIntake(rules: DecodingRules(), featureRules: FeatureRules(), mappings: ["freshet.items": mapping])
        intake.add(.items, value: #"{"sku":"i1","new":{"price":"4.50"}}"#, time: Intakes.now)
        guard case .patch(let patch)? = intake.batch.items.first?.change else {
            Issue.record("no patch: \(intake.batch)")
            return
        }
        #expect(patch.named == #""price""# && patch.values.priceMicros == 4_500_000)
    }
}

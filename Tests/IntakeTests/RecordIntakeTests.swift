import FeatureStore
import Features
import Foundation
import Intake
import Interactions
import Testing

@Suite("Records become a batch")
struct RecordIntakeTests {
    @Test("what can be decoded is gathered, all else is a dead letter of the same batch")
    func goodAndBad() {
        var intake = RecordIntake(rules: DecodingRules(idForm: .nfc), featureRules: FeatureRules())
        intake.add(.events, value: #"{"type":"click","user_id":"u1","item_id":"i1","timestamp":1700000000000}"#)
        intake.add(.events, value: #"{"type":"click","user_id":"u1","timestamp":1700000000000}"#)
        intake.add(.items, value: #"{"item_id":"i1"}"#)
        intake.add(.users, value: "no JSON")
        #expect(intake.records == 4)
        let batch = intake.take(offsets: [])
        #expect(batch.interactions.map(\.itemID) == ["i1"])
        #expect(batch.items.count == 1)
        #expect(batch.rejections.map(\.rejection.code) == [.missingField, .malformedJSON])
        #expect(intake.records == 0 && intake.batch.rejections.isEmpty)
    }
}

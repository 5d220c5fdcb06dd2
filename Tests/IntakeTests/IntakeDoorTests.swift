import FuzzInputs
import Features
import FeatureStore
import Intake
import Interactions
import Testing

/// Any keys with and without a value on the four topics: each record is taken once, as a change or as a dead letter, and a key
/// that deletes keeps the rules of an id.
@Suite struct IntakeDoorTests {
    private static let origin = RecordOrigin(
        source: "freshet.items", cluster: "k1", position: Position(partition: 0, offset: 7), recordTime: Intakes.now)

    /// Somebody who is known by a session alone has its id with a prefix.
    private func isUser(_ id: String) -> Bool { isID(id, atMost: id.hasPrefix("session:") ? 264 : 256) }

    private func isID(_ id: String, atMost limit: Int = 256) -> Bool {
        let bad = id.unicodeScalars.contains { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) }
        return !id.isEmpty && id.utf8.count <= limit && !bad && IDForm.nfc.of(id).utf8.elementsEqual(id.utf8)
    }

    /// Gives a key without a value; what came of it.
    private func outcome(_ kind: RecordKind, key: [UInt8], value: [UInt8]?) -> FuzzDoor.Outcome {
        var intake = RecordIntake(rules: DecodingRules(idForm: .nfc), featureRules: FeatureRules())
        key.withUnsafeBytes { key in
            // Statements of their own: what they give back is read from the batch below.
            func add(_ value: UnsafeRawBufferPointer?) {
                intake.add(kind, key: key, value: value, origin: Self.origin, now: Intakes.now)
            }
            guard let value else { return add(nil) }
            value.withUnsafeBytes { add($0) }
        }
        let batch = intake.take(offsets: [])
        let taken = batch.items.count + batch.users.count + (batch.interactions.isEmpty ? 0 : 1)
        // A slate may show nothing.
        guard taken + batch.rejections.count == 1 || kind == .impressions && taken + batch.rejections.count == 0 else {
            return .broken("\(taken) changes and \(batch.rejections.count) dead letters of one record")
        }
        for case .delete(let id, _) in batch.items.map(\.change) where !isID(id) {
            return .broken("deletes the item \(id.debugDescription)")
        }
        for case .delete(let id, _) in batch.users.map(\.change) where !isUser(id) {
            return .broken("erases the user \(id.debugDescription)")
        }
        if let refused = batch.rejections.first {
            guard !refused.rejection.detail.isEmpty, refused.key?.count ?? 0 <= 1_024,
                refused.payload.count <= RecordIntake.rejectedPayloadBytes
            else {
                return .broken("a dead letter of \(refused.payload.count) bytes")
            }
            return .refused
        }
        return .accepted
    }

    @Test(arguments: [RecordKind.events, .items, .users, .impressions]) func keys(kind: RecordKind) async {
        let door = FuzzDoor("kafka.\(kind.rawValue).keys", short: 1_000, long: 200_000)
        let report = await door.run { source, _ in
            var key = source.plainBytes()
            if source.once(in: 3) { source.mutate(&key, times: 1 + source.below(2)) }
            // Beside a value the key is of no meaning: it may be anything.
            let value = source.once(in: 4) ? source.plausibleRecord(FuzzKind(rawValue: kind.rawValue) ?? .events) : nil
            return outcome(kind, key: key, value: value)
        }
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
        #expect(report.inputs < 500 || (1..<report.inputs).contains(report.accepted))
    }
}

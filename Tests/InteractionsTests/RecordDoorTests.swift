import Foundation
import FuzzInputs
import Interactions
import Testing

/// Any bytes as values of the four topics: what is accepted keeps the rules and can be read again, and nothing traps.
@Suite struct RecordDoorTests {
    /// The decoder as the roles use it.
    private static let decoder = RecordDecoder(
        rules: DecodingRules(
            typeAliases: ["view": .click], idForm: IDForm(name: "NFC") { $0.precomposedStringWithCanonicalMapping }))
    private static let checks = RecordRules(rules: decoder.rules, now: testNow)

    private func expectHolds(_ report: FuzzDoor.Report) {
        #expect(report.findings.isEmpty, "\(report.findings.joined(separator: "\n"))")
        // Both sides are exercised, wherever a run begins.
        guard report.inputs >= 1_000 else { return }
        #expect(report.accepted > report.inputs / 10 && report.accepted < report.inputs * 9 / 10, "\(report.accepted) of \(report.inputs)")
    }

    private func refused(_ rejection: Rejection) -> FuzzDoor.Outcome {
        Self.checks.fault(in: rejection).map { .broken($0) } ?? .refused
    }

    /// A value that was accepted, written and read: it must be the same.
    private func outcome<Record: Equatable>(
        _ record: Record, fault: String?, json: String, _ again: (UnsafeRawBufferPointer) -> Result<Record, Rejection>
    ) -> FuzzDoor.Outcome {
        if let fault { return .broken(fault) }
        switch withRaw(Array(json.utf8), again) {
        case .success(record): return .accepted
        case .success(let other): return .broken("\(record) is read again as \(other)")
        case .failure(let rejection): return .broken("\(json.prefix(2_000)) is not read again: \(rejection)")
        }
    }

    @Test func events() async {
        expectHolds(
            await FuzzDoor("kafka.events.values", short: 6_000, long: 4_600_000).run { source, _ in
                switch withRaw(source.anyRecord(.events), { Self.decoder.interaction($0, origin: kafkaOrigin, now: testNow) }) {
                case .failure(let rejection): refused(rejection)
                case .success(let event):
                    outcome(event, fault: Self.checks.fault(in: event), json: event.json()) {
                        Self.decoder.interaction($0, origin: kafkaOrigin, now: testNow)
                    }
                }
            })
    }

    @Test func items() async {
        expectHolds(
            await FuzzDoor("kafka.items.values", short: 4_000, long: 1_600_000).run { source, _ in
                switch withRaw(source.anyRecord(.items), { Self.decoder.item($0, origin: kafkaOrigin, now: testNow) }) {
                case .failure(let rejection): refused(rejection)
                case .success(let item):
                    outcome(item, fault: Self.checks.fault(in: item), json: item.json()) {
                        Self.decoder.item($0, origin: kafkaOrigin, now: testNow)
                    }
                }
            })
    }

    @Test func users() async {
        expectHolds(
            await FuzzDoor("kafka.users.values", short: 4_000, long: 1_400_000).run { source, _ in
                switch withRaw(source.anyRecord(.users), { Self.decoder.user($0, origin: kafkaOrigin, now: testNow) }) {
                case .failure(let rejection): refused(rejection)
                case .success(let user):
                    outcome(user, fault: Self.checks.fault(in: user), json: user.json()) {
                        Self.decoder.user($0, origin: kafkaOrigin, now: testNow)
                    }
                }
            })
    }

    @Test func impressions() async {
        expectHolds(
            await FuzzDoor("kafka.impressions.values", short: 3_000, long: 800_000).run { source, _ in
                switch withRaw(source.anyRecord(.impressions), { Self.decoder.slate($0, origin: kafkaOrigin, now: testNow) }) {
                case .failure(let rejection): return refused(rejection)
                case .success(let shown):
                    for event in shown {
                        let again = outcome(event, fault: Self.checks.fault(in: event), json: event.json()) {
                            Self.decoder.interaction($0, origin: kafkaOrigin, now: testNow)
                        }
                        if case .broken = again { return again }
                    }
                    return .accepted
                }
            })
    }

    /// Texts that hold one record or many, as a body of `POST /v1/events` does.
    @Test func arrays() async {
        let report = await FuzzDoor("records.arrays", short: 2_000, long: 200_000).run { source, _ in
            var bytes: [UInt8] = Array("[".utf8)
            for place in 0..<source.below(4) {
                if place > 0 { bytes.append(UInt8(ascii: ",")) }
                bytes += source.anyRecord(source.pick(FuzzKind.allCases))
            }
            bytes.append(UInt8(ascii: "]"))
            if source.once(in: 3) { source.mutate(&bytes, times: 1) }
            switch withRaw(bytes, { Self.decoder.records(in: $0, maxBytes: 1 << 22, maxRecords: 3) }) {
            case .failure: return .refused
            case .success(let ranges):
                var end = 0
                for range in ranges {
                    guard range.lowerBound >= end, range.upperBound <= bytes.count, !range.isEmpty else {
                        return .broken("ranges \(ranges)")
                    }
                    end = range.upperBound
                }
                return .accepted
            }
        }
        expectHolds(report)
    }
}

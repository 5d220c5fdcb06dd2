import FuzzInputs
import Interactions
import Testing

/// Times and JSON texts of any kind.
@Suite struct TextDoorTests {
    @Test func times() async {
        let report = await FuzzDoor("texts.times", short: 4_000, long: 400_000).run { source, _ in
            let bytes = source.once(in: 8) ? source.plainBytes(about: 30) : source.timeLikeBytes()
            let text = String(decoding: bytes, as: UTF8.self)
            guard let time = EventTime(rfc3339: text) else { return .refused }
            guard let again = EventTime(rfc3339: time.rfc3339()), again == time else { return .broken("\(text) is \(time.rfc3339())") }
            return .accepted
        }
        #expect(report.findings.isEmpty, "\(report.findings)")
    }

    /// Any number as a moment: what is written can be read.
    @Test func moments() async {
        let report = await FuzzDoor("texts.moments", short: 2_000, long: 200_000).run { source, _ in
            let time = EventTime(milliseconds: Int64(bitPattern: source.next()) >> Int64(source.below(64)))
            guard let again = EventTime(rfc3339: time.rfc3339()) else {
                return .broken("\(time.milliseconds) is written \(time.rfc3339())")
            }
            let isInside = (-62_167_219_200_000...253_402_300_799_999).contains(time.milliseconds)
            guard again == time || !isInside else { return .broken("\(time.milliseconds) is written \(time.rfc3339())") }
            return isInside ? .accepted : .refused
        }
        #expect(report.findings.isEmpty, "\(report.findings)")
    }

    /// Look-ups in attributes and contexts, right by the grammar or not.
    @Test func objects() async {
        let report = await FuzzDoor("texts.objects", short: 3_000, long: 300_000).run { source, _ in
            var bytes: [UInt8] = []
            source.addObject(to: &bytes, depth: 3)
            let isDamaged = source.once(in: 2)
            if isDamaged { source.mutate(&bytes, times: 1 + source.below(3)) }
            let text = String(decoding: bytes, as: UTF8.self)
            let tokens = JSONText.tokens(ofObject: text)
            guard Set(tokens).count == tokens.count, tokens == tokens.sorted() else { return .broken("tokens of \(text): \(tokens)") }
            _ = JSONText.number("rating", inObject: text)
            _ = JSONText.string("brand", inObject: text)
            _ = Interaction.rating(inContext: text)
            let quoted = JSONText.quoted(text)
            guard JSONText.string("k", inObject: "{\"k\":\(quoted)}")?.utf8.elementsEqual(text.utf8) == true else {
                return .broken("\(text) is quoted as \(quoted)")
            }
            return isDamaged ? .refused : .accepted
        }
        #expect(report.findings.isEmpty, "\(report.findings)")
    }
}

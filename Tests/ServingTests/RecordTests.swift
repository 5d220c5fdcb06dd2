import EventStream
import FeatureStore
import Interactions
import RecommendationAPI
import Recommending
import Serving
import Testing

/// What comes in and what goes out: places, fates, refusals, what was shown.
@Suite struct RecordTests {
    @Test func aWatermarkIsTheHighestPlaceOfEachPartition() throws {
        let mark = Watermark([
            Position(partition: 2, offset: 5), Position(partition: 0, offset: 9), Position(partition: 2, offset: 3),
            Position(partition: Position.filePartition, offset: 77),
        ])
        #expect(mark.text == "0@9,2@5", "places in files are none")
        #expect(Watermark(parsing: "0@9,2@5") == mark && Watermark(parsing: "2@3,0@9,2@5") == mark)
        #expect(Watermark().text == nil)
    }

    @Test(arguments: ["", "1", "1@", "@1", "1@2@3", "-1@2", "1@-2", "a@1", "1@2;3@4", "9999999999@1", "1@99999999999999999999"])
    func whatIsNoWatermarkIsNone(text: String) {
        #expect(Watermark(parsing: text) == nil)
    }

    @Test func fatesAreToldByTheirPlaceInTheRequest() {
        var sent = SentRecords(kind: .events, topic: "events")
        let event = SentEvent(
            position: Position(partition: 0, offset: 1), userID: "u", time: EventTime(milliseconds: 1_000), eventID: nil)
        sent.events = [0, 2, 3, 5, 6].map { ($0, event) }
        var outcome = IntakeOutcome(accepted: 5, refusals: [IntakeOutcome.Refusal(index: 4, code: "malformed", detail: "no JSON")])
        sent.take(
            [
                .stored, .duplicate, .erased(at: EventTime(milliseconds: 2_000)),
                .rejected(code: "too_large", field: "item_id", detail: "too long"), .superseded(by: EventTime(milliseconds: 3_000)),
            ], into: &outcome)
        #expect(outcome.accepted == 2 && outcome.duplicates == 1, "one that was stored before was accepted, too")
        #expect(outcome.refusals.map(\.index) == [3, 4, 5, 6])
        #expect(outcome.refusals.map(\.code) == ["erased_user", "malformed", "too_large", "superseded"])
    }

    @Test func aRecordThatIsNoEventHasNoDuplicates() {
        let sent = SentRecords(kind: .item, topic: "items")
        var outcome = IntakeOutcome(accepted: 1)
        sent.take([.superseded(by: EventTime(milliseconds: 3_000))], into: &outcome)
        #expect(outcome.accepted == 0 && outcome.duplicates == nil && outcome.refusals.first?.index == 0)
    }

    @Test func aPatchOfWhichOnlyTheAttributesAreRefusedIsAccepted() {
        let sent = SentRecords(kind: .item, topic: "items")
        var outcome = IntakeOutcome(accepted: 1)
        sent.take([.storedWithout(code: "too_large", field: "attributes", detail: "too many")], into: &outcome)
        #expect(outcome.accepted == 1 && outcome.refusals.map(\.code) == ["too_large"])
    }

    @Test func aRecordWithoutATimeWasMadeBetweenItsSendingAndNow() {
        let stated = EventTime(milliseconds: 5)
        #expect(SentRecords.time(stated, sentAt: EventTime(milliseconds: 9_000)) == stated...stated)
        // A machine whose clock is behind has sent it later than now.
        let later = EventTime(milliseconds: 4_000_000_000_000)
        let range = SentRecords.time(nil, sentAt: later)
        #expect(range.lowerBound.milliseconds == later.milliseconds - 1_000 && range.upperBound.milliseconds == later.milliseconds + 1_000)
        let past = SentRecords.time(nil, sentAt: EventTime(milliseconds: 1_700_000_000_000))
        #expect(past.lowerBound.milliseconds == 1_699_999_999_000 && past.upperBound.milliseconds > 1_700_000_100_000)
    }

    @Test func aRefusalSaysWhetherTheSameRequestMayBeSentAgain() {
        let refusals = IntakeRefusals(place: "kafka:9092"), now = ContinuousClock.now
        let untried = refusals.untried(since: now - .seconds(90), now: now)
        #expect(untried.code == .unavailable && untried.retryAfterSeconds == 2)
        #expect(untried.detail.contains("kafka:9092 has not taken records for 90 s") && untried.detail.contains("Idempotency-Key"))
        let late = refusals.of(StreamError(.timedOut, "no answer"), taken: 2, of: 5)
        #expect(late.code == .unavailable && late.detail.contains("in time"))
        #expect(late.detail.contains("2 of the 5 records were taken before."))
        #expect(!refusals.of(StreamError(.timedOut, "no answer"), taken: 0, of: 5).detail.contains("were taken before"))
        let large = refusals.of(StreamError(.messageTooLarge, "1 MB"), taken: 0, of: 1)
        #expect(large.code == .invalid && large.retryAfterSeconds == nil, "sent again it is too large again")
        #expect(refusals.of(StreamError(.authorization, "denied"), taken: 0, of: 1).detail.contains("did not take the records: denied"))
    }

    @Test func whatWasShownIsReadAsImpressions() throws {
        let answer = RecommendationAnswer(
            requestID: "r1", userID: "u", modelVersion: 4, catalogueVersion: 1,
            items: [
                RecommendedItem(itemID: "ä\"1", score: 0.5, reason: .personal),
                RecommendedItem(itemID: "b", score: .infinity, reason: .fresh, isExploration: true),
                RecommendedItem(itemID: "c", score: 0.1, reason: .trending),
            ])
        let record = ImpressionFeed.record(
            of: answer, items: answer.items.prefix(2), userID: "u", sessionID: "s", at: EventTime(milliseconds: 1_700_000_000_000))
        let origin = RecordOrigin(source: "impressions", cluster: "c", position: Position(partition: 0, offset: 1))
        let read = try record.withUnsafeBytes {
            try RecordDecoder(rules: DecodingRules()).slate($0, origin: origin, now: EventTime(milliseconds: 1_700_000_001_000)).get()
        }
        #expect(read.map(\.itemID) == ["ä\"1", "b"] && read.allSatisfy { $0.userID == "u" && $0.requestID == "r1" })
        #expect(read.allSatisfy { $0.type == .impression && $0.time.milliseconds == 1_700_000_000_000 })
    }

    @Test(arguments: [
        (StoreError(.notFound, "there is no version 9"), ServiceError.Code.notFound, nil),
        (StoreError(.conflict, "refused"), .conflict, nil), (StoreError(.authentication, "password of bob"), .unavailable, 30),
        (StoreError(.unreachable, isRetriable: true, "10.0.0.1"), .unavailable, 1),
    ] as [(StoreError, ServiceError.Code, Int?)])
    func failuresOfTheDatabaseTellACallerWhatToDo(error: StoreError, code: ServiceError.Code, retry: Int?) throws {
        let told = try #require(ServiceError(error))
        #expect(told.code == code && told.retryAfterSeconds == retry)
        if code == .unavailable { #expect(!told.detail.contains(error.message), "hosts and names of users are for the operator") }
        #expect(ServiceError(StoreError(.statement, "syntax error")) == nil, "nobody foresaw it")
    }

    @Test func aRequestNamesKnownGoalsWithinBounds() throws {
        #expect(try ObjectiveWeights(named: [:]) == nil)
        let weights = try #require(try ObjectiveWeights(named: ["value": 2]))
        #expect(weights.click == 1 && weights.value == 2 && weights.conversion == 0, "clicks count unless they are named")
        for wrong in [["clicks": 1.0], ["value": 1_000.5], ["click": -Double.infinity]] {
            let error = #expect(throws: ServiceError.self) { try ObjectiveWeights(named: wrong) }
            #expect(error?.code == .invalid && error?.detail.hasPrefix("objective") == true)
        }
    }
}

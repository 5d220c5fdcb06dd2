import Console
import FeatureStore
import Interactions
import RecommendationAPI

/// What one request sent to a topic, so that the commit's word on each can be told by its place in the request.
package struct SentRecords {
    /// A clock of the broker may differ from ours by as much before a record without a time of its own counts as older.
    private static let brokerClockMilliseconds: Int64 = 1_000

    /// What a request sends: many events, or one record.
    package enum Kind: Sendable { case events, item, user }

    /// What was sent.
    package let kind: Kind
    /// Where it was sent.
    package let topic: String
    /// Events with their places in the request.
    package var events: [(index: Int, event: SentEvent)] = []
    /// The one record of other kinds.
    package var record: SentRecord?

    /// Nothing sent yet.
    package init(kind: Kind, topic: String) {
        self.kind = kind
        self.topic = topic
    }

    /// The time of a record: its own, else between when it was sent and now.
    package static func time(_ stated: EventTime?, sentAt: EventTime) -> ClosedRange<EventTime> {
        if let stated { return stated...stated }
        let slack = brokerClockMilliseconds
        let end = max(EventTime.now, sentAt)
        return EventTime(milliseconds: sentAt.milliseconds - slack)...EventTime(milliseconds: end.milliseconds + slack)
    }

    /// Asks what became of them, and takes what was not stored out of the accepted.
    func settle(_ outcome: inout IntakeOutcome, store: StoreQueries, cluster: String?) async throws {
        let (kind, topic, record, sent) = (kind, topic, record, events.map(\.event))
        let fates = try await store.run { store throws(StoreError) -> [RecordFate] in
            switch kind {
            case .events: try store.fates(of: sent, topic: topic, cluster: cluster)
            case .item: try record.map { record throws(StoreError) in try store.fate(ofItem: record, topic: topic, cluster: cluster) }
                .map { [$0] } ?? []
            case .user: try record.map { record throws(StoreError) in try store.fate(ofUser: record, topic: topic, cluster: cluster) }
                .map { [$0] } ?? []
            }
        }
        take(fates, into: &outcome)
    }

    /// Takes what became of them into the outcome: one fate a record, in the order in which they were sent.
    package func take(_ fates: [RecordFate], into outcome: inout IntakeOutcome) {
        if kind == .events { outcome.duplicates = 0 }
        for (place, fate) in fates.enumerated() {
            let index = kind == .events ? events[place].index : 0
            switch fate {
            case .stored: continue
            case .duplicate: outcome.duplicates = (outcome.duplicates ?? 0) + 1
            case .storedWithout: outcome.refusals.append(fate.refusal(index: index))
            default:
                outcome.accepted -= 1
                outcome.refusals.append(fate.refusal(index: index))
            }
        }
        outcome.refusals.sort { $0.index < $1.index }
    }
}

extension RecordFate {
    /// What the caller is told of a record that was not stored.
    fileprivate func refusal(index: Int) -> IntakeOutcome.Refusal {
        switch self {
        case .rejected(let code, let field, let detail):
            IntakeOutcome.Refusal(index: index, code: code, field: field, detail: detail)
        case .storedWithout(let code, let field, let detail):
            IntakeOutcome.Refusal(index: index, code: code, field: field, detail: detail)
        case .erased(let time):
            IntakeOutcome.Refusal(
                index: index, code: RejectionCode.erasedUser.rawValue, field: "user_id",
                detail: "the user was erased, and what is dated up to \(time.rfc3339()) is not taken")
        case .superseded(let time):
            IntakeOutcome.Refusal(
                index: index, code: "superseded", field: "updated_at",
                detail: "what is stored is dated \(time.rfc3339()), later than this record, which changed nothing")
        case .stored, .duplicate:
            IntakeOutcome.Refusal(index: index, code: "stored", detail: "it is stored")
        }
    }
}

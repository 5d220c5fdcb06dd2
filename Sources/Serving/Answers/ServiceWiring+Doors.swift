import FeatureStore
import Intake
import Interactions
import RecommendationAPI

extension ServiceWiring {
    /// What the doors for clients of other systems ask of the database.
    var foreignDoors: ForeignDoors {
        ForeignDoors(
            typeNames: intake.typeNames,
            feedback: { question in
                let filter = FeedbackFilter(
                    userID: question.userID.map(IDForm.nfc.of), itemID: question.itemID.map(IDForm.nfc.of),
                    type: question.type)
                let after = question.after.flatMap { $0.count == 3 ? FeedbackPlace(userID: $0[0], itemID: $0[1], type: $0[2]) : nil }
                return try await asking { store throws(StoreError) in
                    try store.feedback(filter, after: after, limit: question.limit)
                }
            },
            items: { after, limit in try await asking { store throws(StoreError) in try store.items(after: after, limit: limit) } },
            users: { after, limit in try await asking { store throws(StoreError) in try store.users(after: after, limit: limit) } },
            search: { words, limit in try await asking { store throws(StoreError) in try store.items(titled: words, limit: limit) } },
            newest: { categories, limit in
                let categories = categories.map(IDForm.nfc.of)
                return try await asking { store throws(StoreError) in try store.newestItems(having: categories, limit: limit) }
            },
            unknownItems: { ids in
                let ids = ids.map(IDForm.nfc.of)
                return try await asking { store throws(StoreError) in try store.unknownItems(among: ids) }
            })
    }

    private func asking<Answer: Sendable>(
        _ question: @escaping @Sendable (StoreQueries) throws(StoreError) -> Answer
    ) async throws -> Answer {
        try await explaining { try await store.run(question) }
    }
}

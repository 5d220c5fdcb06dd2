import Console
import Foundation
import Interactions
import Simulation

/// What a visitor of the demonstration is shown on the terminal, and what `--check` looks at.
struct DemoGuide: Sendable {
    let service: ServiceClient
    let shop: Shop

    /// Three requests to try.
    func printRequests() async {
        let user = visitor
        StandardOutput.news(
            """
            three requests to try:
              curl '\(service.base)/v1/recommendations?user_id=\(user)&n=5&explain=true'
              curl -X POST '\(service.base)/v1/events?wait=true' -H 'Content-Type: application/json' -d '{"type":"click","user_id":"\(user)","item_id":"\(shop.catalogue(openedBy: shop.configuration.opening)[0].itemID)","timestamp":\(EventTime.now.milliseconds)}'
              curl '\(service.base)/v1/items/\(shop.catalogue(openedBy: shop.configuration.opening)[0].itemID)/similar?n=5'
            stop with Ctrl-C
            """)
    }

    private var visitor: String { shop.users()[1].userID }

    /// Asks the questions that matter and prints what came back; false if one was answered badly.
    func check() async throws -> Bool {
        var passed = true
        func tell(_ good: Bool, _ text: String) {
            StandardOutput.line("\(good ? "✓" : "✗") \(text)")
            passed = passed && good
        }
        let user = visitor
        let control = shop.users()[2].userID
        let before = try await service.recommendations(userID: user, count: 10)
        tell(before.items.count == 10, "\(user) gets \(before.items.count) items from model version \(before.model_version.map(String.init) ?? "none"): \(before.items.prefix(3).map(\.item_id).joined(separator: ", "))…")
        let personal = before.items.filter { $0.reason == "personal" }.count
        tell(personal > 0, "\(personal) of them for personal reasons")

        let controlBefore = try await service.recommendations(userID: control, count: 10)
        let target = before.items[before.items.count - 1].item_id
        let start = ContinuousClock.now
        _ = try await service.post(events: [
            #"{"type":"click","user_id":"\#(user)","item_id":"\#(target)","request_id":"\#(before.request_id)","timestamp":\#(EventTime.now.milliseconds)}"#
        ])
        var after = before
        while start.duration(to: .now) < .seconds(5), after.items == before.items {
            after = try await service.recommendations(userID: user, count: 10)
            try await Task.sleep(for: .milliseconds(5))
        }
        let delay = Int(start.duration(to: .now).inSeconds * 1_000)
        tell(after.items != before.items, "after a click on \(target) the list changed within \(delay) ms")
        let controlAfter = try await service.recommendations(userID: control, count: 10)
        tell(
            Set(controlAfter.items.map(\.item_id)).intersection(controlBefore.items.map(\.item_id)).count >= 7,
            "\(control), who did nothing, keeps their list")

        let hidden = after.items[0].item_id
        _ = try await service.send(.delete, "/v1/items/\(hidden)?wait=true", body: nil)
        let gone = try await service.recommendations(userID: user, count: 10)
        tell(!gone.items.contains { $0.item_id == hidden }, "\(hidden) was deleted and is not recommended any more")

        let stranger = try await service.recommendations(userID: "nobody-\(EventTime.now.milliseconds)", count: 5)
        tell(stranger.items.count == 5, "somebody unknown gets \(stranger.items.count) items (\(stranger.items.first?.reason ?? "none"))")
        let metrics = String(decoding: try await service.send(.get, "/metrics", body: nil), as: UTF8.self)
        tell(metrics.contains("freshet_"), "/metrics answers")
        StandardOutput.line(passed ? "the demonstration works" : "the demonstration does not work")
        return passed
    }
}

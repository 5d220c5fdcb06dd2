import Console
import Foundation
import Interactions
import Simulation

/// What a visitor of the demonstration is shown on the terminal, and what `--check` looks at.
public struct DemoGuide: Sendable {
    let service: ServiceClient
    let shop: Shop

    /// Makes the guide of a shop that a service shows.
    public init(service: ServiceClient, shop: Shop) {
        self.service = service
        self.shop = shop
    }

    /// Three requests to try.
    public func printRequests() async {
        let user = visitor, item = shop.catalogue(openedBy: shop.configuration.opening)[0].itemID
        let click = #"{"type":"click","user_id":"\#(user)","item_id":"\#(item)","timestamp":\#(EventTime.now.milliseconds)}"#
        StandardOutput.news(
            """
            three requests to try:
              curl '\(service.base)/v1/recommendations?user_id=\(user)&n=5&explain=true'
              curl -X POST '\(service.base)/v1/events?wait=true' -H 'Content-Type: application/json' -d '\(click)'
              curl '\(service.base)/v1/items/\(item)/similar?n=5'
            stop with Ctrl-C
            """)
    }

    private var visitor: String { shop.users()[1].userID }

    /// Asks the questions that matter and prints what came back; false if one was answered badly.
    ///
    /// - Throws: the failures of requests.
    public func check() async throws -> Bool {
        var passed = true
        func tell(_ good: Bool, _ text: String) {
            StandardOutput.line("\(good ? "✓" : "✗") \(text)")
            passed = passed && good
        }
        let user = visitor
        let control = shop.users()[2].userID
        let before = try await service.recommendations(userID: user, count: 10)
        let version = before.model_version.map(String.init) ?? "none"
        let first = before.items.prefix(3).map(\.item_id).joined(separator: ", ")
        tell(before.items.count == 10, "\(user) gets \(before.items.count) items from model version \(version): \(first)…")
        let personal = before.items.filter { $0.reason == "personal" || $0.reason == "similar" }.count
        tell(personal > 0, "\(personal) of them for what this user did")

        let controlBefore = try await service.recommendations(userID: control, count: 10)
        let target = before.items[before.items.count - 1].item_id
        let start = ContinuousClock.now
        let json =
            #"{"type":"click","user_id":"\#(user)","item_id":"\#(target)","request_id":"\#(before.request_id)","#
            + #""timestamp":\#(EventTime.now.milliseconds)}"#
        _ = try await service.post(events: [json])
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
        tell(
            stranger.items.count == 5,
            "somebody unknown gets \(stranger.items.count) items (\(stranger.items.first?.reason ?? "none"))")
        let metrics = String(decoding: try await service.send(.get, "/metrics", body: nil), as: UTF8.self)
        tell(metrics.contains("freshet_"), "/metrics answers")
        StandardOutput.line(passed ? "the demonstration works" : "the demonstration does not work")
        return passed
    }
}

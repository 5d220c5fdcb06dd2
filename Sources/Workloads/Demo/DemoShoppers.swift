import Interactions
import Logging
import RecommendationAPI
import Simulation

/// Shoppers who look at what the service recommends, click, and buy; and the shop's buyers, who add new items.
struct DemoShoppers: Sendable {
    let shop: DemoShop
    let service: ServiceClient
    let board: StatisticsBoard
    let logger: Logger
    /// Visits that begin in a second.
    let visitsPerSecond: Double

    private static let maxVisits = 64

    /// Goes on until cancelled.
    func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            group.addTask { try await addItems() }
            let slots = VisitSlots(limit: Self.maxVisits)
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(1 / visitsPerSecond))
                guard await slots.take() else { continue }
                group.addTask {
                    // One shopper's bad luck is no reason to close the shop.
                    do { try await visit() } catch is CancellationError {} catch { logger.debug("a visit ended early: \(error)") }
                    await slots.giveBack()
                }
            }
        }
    }

    private func visit() async throws {
        let visit = await shop.shopper()
        board.saw(userID: visit.userID)
        var events = await shop.browse(visit)
        if !events.isEmpty { _ = try await service.post(events: events) }
        for _ in 0..<visit.lists {
            let answer = try await service.recommendations(userID: visit.userID, count: 10)
            events = await shop.react(visit, shown: answer.items.map(\.item_id), requestID: answer.request_id)
            if !events.isEmpty {
                _ = try await service.post(events: events)
                board.note("event", "\(visit.userID) did \(events.count) things with list \(answer.request_id)")
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 400...1_600)))
        }
    }

    private func addItems() async throws {
        while !Task.isCancelled {
            for item in await shop.arrivals() {
                _ = try? await service.send(.put, "/v1/items/\(ServiceClient.escaped(item.itemID))", body: item.json())
                board.note("item", "new: \(item.title ?? item.itemID) in \(item.categories.first ?? "no category")")
            }
            try await Task.sleep(for: .seconds(2))
        }
    }
}

/// Bounds the visits under way.
private actor VisitSlots {
    private var free: Int

    init(limit: Int) { free = limit }

    func take() -> Bool {
        guard free > 0 else { return false }
        free -= 1
        return true
    }

    func giveBack() { free += 1 }
}

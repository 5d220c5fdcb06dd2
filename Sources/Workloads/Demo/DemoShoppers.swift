import Interactions
import Logging
import Simulation

/// Shoppers who look at what the service recommends, click, and buy; and the shop's buyers, who add new items.
public struct DemoShoppers: Sendable {
    let shop: DemoShop
    let service: ServiceClient
    let logger: Logger
    let visitsPerSecond: Double
    let tell: @Sendable (News) -> Void

    private static let maxVisits = 64

    /// What happens in the shop, for whoever shows it.
    public enum News: Sendable, Equatable {
        /// Somebody came.
        case came(userID: String)
        /// Somebody did something with a list.
        case acted(userID: String, events: Int, requestID: String)
        /// An item is new in the catalogue.
        case published(title: String, category: String?)
    }

    /// Makes the crowd.
    ///
    /// - Parameters:
    ///   - visitsPerSecond: visits that begin in a second, above 0.
    ///   - tell: hears what happens, from many tasks.
    public init(
        shop: DemoShop, service: ServiceClient, logger: Logger, visitsPerSecond: Double, tell: @escaping @Sendable (News) -> Void
    ) {
        self.shop = shop
        self.service = service
        self.logger = logger
        self.visitsPerSecond = visitsPerSecond
        self.tell = tell
    }

    /// Goes on until cancelled.
    public func run() async throws {
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
        tell(.came(userID: visit.userID))
        var events = await shop.browse(visit)
        if !events.isEmpty { _ = try await service.post(events: events) }
        for _ in 0..<visit.lists {
            let answer = try await service.recommendations(userID: visit.userID, count: 10)
            events = await shop.react(visit, shown: answer.items.map(\.item_id), requestID: answer.request_id)
            if !events.isEmpty {
                _ = try await service.post(events: events)
                tell(.acted(userID: visit.userID, events: events.count, requestID: answer.request_id))
            }
            try await Task.sleep(for: .milliseconds(Int.random(in: 400...1_600)))
        }
    }

    private func addItems() async throws {
        while !Task.isCancelled {
            for item in await shop.arrivals() {
                _ = try? await service.send(.put, "/v1/items/\(ServiceClient.escaped(item.itemID))", body: item.json())
                tell(.published(title: item.title ?? item.itemID, category: item.categories.first))
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

/// Shoppers of a simulated shop at a running service, one visit after another: what `freshet simulate shoppers` runs.
public struct ShopperLoad: Sendable {
    let shop: DemoShop
    let service: ServiceClient
    let visitsPerSecond: Double

    /// Makes the load.
    ///
    /// - Parameter visitsPerSecond: visits that begin in a second at most, above 0.
    public init(shop: DemoShop, service: ServiceClient, visitsPerSecond: Double) {
        self.shop = shop
        self.service = service
        self.visitsPerSecond = visitsPerSecond
    }

    /// Visits for as long as `duration`; a visit that has begun is finished.
    ///
    /// - Returns: visits that were made, and events that the service took.
    /// - Throws: the first failure of a request.
    public func run(for duration: Duration) async throws -> (visits: Int, events: Int) {
        let end = ContinuousClock.now + duration
        var visits = 0, events = 0
        while ContinuousClock.now < end {
            let visit = await shop.shopper()
            for _ in 0..<visit.lists {
                let answer = try await service.recommendations(userID: visit.userID, count: 10)
                let reactions = await shop.react(visit, shown: answer.items.map(\.item_id), requestID: answer.request_id)
                if !reactions.isEmpty { events += try await service.post(events: reactions).accepted }
            }
            visits += 1
            try await Task.sleep(for: .seconds(1 / visitsPerSecond))
        }
        return (visits, events)
    }
}

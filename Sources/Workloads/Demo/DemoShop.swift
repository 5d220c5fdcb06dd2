import Console
import Foundation
import Interactions
import Simulation

/// The simulated shop, shared by the shoppers. Who uses it waits for its turn.
public actor DemoShop {
    private var shop: Shop
    private let run: String
    private var made = 0

    /// Makes the shop. `run` distinguishes the event ids of this process from those of earlier ones.
    public init(shop: Shop, run: String) {
        self.shop = shop
        self.run = run
    }

    /// Somebody who comes now.
    public func shopper() -> ShopVisit { shop.shopper(nextAt: .now) }

    /// New items that are due.
    func arrivals() -> [ItemRecord] { shop.arrivals(at: .now) }

    /// What a user does with a list that they are shown, as JSON; the events happen now.
    public func react(_ visit: ShopVisit, shown: [String], requestID: String) -> [String] {
        let now = EventTime.now
        return shop.react(userID: visit.userID, sessionID: visit.sessionID, shown: shown, requestID: requestID, at: now)
            .map { json($0, at: now) }
    }

    /// What a user does of their own accord.
    package func browse(_ visit: ShopVisit) -> [String] {
        let now = EventTime.now
        return shop.spontaneous(userID: visit.userID, sessionID: visit.sessionID, at: now).map { json($0, at: now) }
    }

    private func json(_ event: Interaction, at now: EventTime) -> String {
        var event = event
        made += 1
        event.eventID = "\(run)-\(made)"
        // The simulation spreads a visit over minutes; a demonstration shows it at once.
        event.time = now
        return event.json()
    }
}

/// What a demonstration remembers from run to run: a second start goes on with the same shop.
public struct DemoState: Codable, Sendable {
    /// When the shop opened, in milliseconds since 1970.
    public var openingMilliseconds: Int64
    /// What all of it is drawn from.
    public var seed: UInt64

    /// Registered users of the shop.
    public static let users = 2_000
    /// Items at its opening.
    public static let items = 3_000
    /// Events of its past.
    public static let historyEvents = 60_000
    /// Days of its past.
    public static let historyDays: Int64 = 14

    /// Makes the memory of a shop.
    public init(openingMilliseconds: Int64, seed: UInt64) {
        self.openingMilliseconds = openingMilliseconds
        self.seed = seed
    }

    /// What an earlier run left; nil where none did, or nothing readable.
    public static func read(from path: String) -> DemoState? {
        FileManager.default.contents(atPath: path).flatMap { try? JSONDecoder().decode(DemoState.self, from: $0) }
    }

    /// Leaves it for later runs, whole or not at all.
    public func write(to path: String) throws {
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try JSONEncoder().encode(self).write(to: url, options: .atomic)
    }

    /// The shop as it was at the opening.
    public var shop: Shop {
        Shop(
            configuration: ShopConfiguration(
                users: Self.users, items: Self.items, opening: EventTime(milliseconds: openingMilliseconds),
                newItemsPerDay: 4_320, lateCategoryDelayMilliseconds: 240_000, lateCategoryItems: 40),
            seed: seed)
    }
}

import Interactions
import Simulation

/// The fixed stream of the ingest benchmark: clicks and purchases of about 200 bytes, Zipf users (100,000, s = 0.7) and items
/// (50,000, s = 1.0), 6 % purchases; the same for the same seed.
package struct SyntheticEvents {
    static let users = 100_000
    static let items = 50_000

    private var random: SplitMix64
    private let userDraw: ZipfDraw
    private let itemDraw: ZipfDraw
    private let seed: UInt64
    private var time: Int64 = 1_793_520_000_000
    private var made = 0

    /// Events that the seed decides.
    package init(seed: UInt64) {
        self.seed = seed
        random = SplitMix64(seed: seed)
        userDraw = ZipfDraw(count: Self.users, exponent: 0.7)
        itemDraw = ZipfDraw(count: Self.items, exponent: 1.0)
    }

    /// The next event: its key and its JSON.
    package mutating func next() -> (key: String, json: String) {
        // Ranks are spread over the ids, so that neighbours in popularity are no neighbours in the tables.
        let user = userDraw.draw(&random) &* 7_919 % Self.users
        let item = itemDraw.draw(&random) &* 7_919 % Self.items
        time += Int64(random.next() % 20)
        let buys = random.next() % 100 < 6
        let number = String(made)
        let padded = String(repeating: "0", count: max(0, 8 - number.count)) + number
        made += 1
        var json = #"{"event_id":"e\#(seed)-\#(padded)","type":"\#(buys ? "purchase" : "click")","#
        json += #""user_id":"u\#(user)","item_id":"i\#(item)","#
        json += #""timestamp":\#(time),"session_id":"s\#(user)-\#(time / 3_600_000)","#
        if buys {
            let cents = 199 + item &* 104_729 % 19_800
            let fraction = cents % 100
            json += #""value":\#(cents / 100).\#(fraction < 10 ? "0" : "")\#(fraction),"currency":"EUR","quantity":\#(1 + made % 3),"#
        }
        json += #""context":{"device":"phone","country":"DE","page":"category"}}"#
        return ("u\(user)", json)
    }
}

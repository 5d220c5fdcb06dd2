import Evaluation
import Interactions

/// What one shopper of the simulated shop saw and did.
package struct ShopTally: Equatable {
    /// Places of lists, and those of them that an item beyond the most popular fifth took.
    package var shown = 0.0, tail = 0.0
    /// Clicks, and what was paid, in the shop's currency.
    package var clicks = 0.0, value = 0.0

    /// Nothing yet.
    package init(shown: Double = 0, clicks: Double = 0, value: Double = 0, tail: Double = 0) {
        (self.shown, self.clicks, self.value, self.tail) = (shown, clicks, value, tail)
    }

    /// Rates by what was shown to all of them.
    package static func sums(_ tallies: [ShopTally]) -> ResultLine {
        let shown = max(tallies.reduce(0) { $0 + $1.shown }, 1)
        return ResultLine([
            "click_through": .number(tallies.reduce(0) { $0 + $1.clicks } / shown),
            "value_per_1000_shown": .number(tallies.reduce(0) { $0 + $1.value } / shown * 1_000),
            "tail_exposure": .number(tallies.reduce(0) { $0 + $1.tail } / shown),
        ])
    }

    /// Gains with 95 % intervals over users. The same users visit as often under every arm, so sums compare like rates.
    package static func gains(_ tallies: [ShopTally], over base: [ShopTally]) -> ResultLine {
        var line = ResultLine()
        for (name, value) in [
            ("click_through", \ShopTally.clicks), ("order_value", \ShopTally.value), ("tail_exposure", \ShopTally.tail),
        ] {
            let interval = BootstrapInterval(ofGain: tallies.map { $0[keyPath: value] }, over: base.map { $0[keyPath: value] })
            line.add(name, .json("[\(interval.estimate),\(interval.lower),\(interval.upper)]"))
        }
        return line
    }
}

import Settings
import Testing

@Suite("Settings that contradict each other")
struct TogetherTests {
    @Test("weights of examples that leave nothing to learn from")
    func weights() throws {
        Sources.expectRefusal(saying: "objectives.click", "objectives.add_to_cart", "objectives.purchase", "file1.yaml:1") {
            try Sources.yaml("objectives: {click: 0, add_to_cart: 0, purchase: 0}")
        }
        Sources.expectRefusal(saying: "train.click_weight", "train.purchase_weight") {
            try Sources.yaml("train: {click_weight: 0, add_to_cart_weight: 0.0, purchase_weight: 0}")
        }
        Sources.expectRefusal(saying: "objectives.click", "train.purchase_weight") {
            try Sources.load(
                files: ["train: {click_weight: 1, add_to_cart_weight: 0, purchase_weight: 0}"].map { .init($0.utf8) },
                environment: ["FRESHET_OBJECTIVES_CLICK": "0"])
        }
        // So small that a training takes no event for an example.
        Sources.expectRefusal(saying: "objectives.click") { try Sources.yaml("objectives: {click: 1e-5, add_to_cart: 0, purchase: 1e-4}") }
        #expect(try Sources.yaml("objectives: {click: 0, add_to_cart: 0}").number(.objectivesClick) == 0)
        #expect(try Sources.yaml("objectives: {click: 0, add_to_cart: 0, purchase: 0.001}").settings.count == 3)
    }

    @Test("powers that give every item the same score")
    func powers() {
        Sources.expectRefusal(saying: "objectives.click_power", "objectives.value_power") {
            try Sources.flags(("objectives.click_power", "0"))
        }
    }

    @Test("two kinds of records in one topic")
    func topics() {
        Sources.expectRefusal(saying: "topics.events", "topics.items", "shop") { try Sources.yaml("topics: {events: shop, items: shop}") }
        Sources.expectRefusal(saying: "topics.users", "freshet.users") { try Sources.flags(("topics.events", "freshet.users")) }
    }

    @Test("shares of a list that cannot all be kept, and repeats of what is kept out")
    func shares() throws {
        Sources.expectRefusal(saying: "file1.yaml:1", "rules.repeats_percent at least 60", "rules.new_items_percent at least 50", "110") {
            try Sources.yaml("rules: {repeats_percent: 60-70, new_items_percent: 50-100}")
        }
        Sources.expectRefusal(saying: "rules.exclude", "rules.repeats_percent", "at least 5") {
            try Sources.yaml("rules: {exclude: [seen], repeats_percent: 5-100}")
        }
        let exact = try Sources.yaml("rules: {repeats_percent: 20 - 20, discoveries_percent: 30-100, new_items_percent: 50-50}")
        #expect(exact.share(.rulesRepeats) == 20...20 && exact.share(.rulesNewItems) == 50...50)
        #expect(exact.text(.rulesRepeats) == "20-20")
        #expect(try Sources.yaml("rules: {exclude: [seen], repeats_percent: 0-100}").share(.rulesRepeats) == 0...100)
        #expect(try Sources.yaml("rules: {exclude: [purchased], repeats_percent: 10-20}").share(.rulesDiscoveries) == 0...100)
    }

    @Test(
        "a share is the least and the most in whole percent",
        arguments: ["20", "40-20", "10-101", "-5-10", "2.5-10", "10-", "a-b", "", "10-20-30"])
    func wrongShares(text: String) {
        Sources.expectRefusal(saying: "rules.discoveries_percent", "10-40") { try Sources.flags(("rules.discoveries_percent", text)) }
    }

    @Test("what somebody may have meant is said")
    func shareHints() {
        Sources.expectRefusal(saying: "20-100 is at least 20", "0-20 at most") { try Sources.flags(("rules.repeats_percent", "20")) }
        Sources.expectRefusal(saying: "20-40") { try Sources.flags(("rules.repeats_percent", "40-20")) }
    }
}

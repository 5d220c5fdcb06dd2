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
}

import Interactions
import Recommending
import Testing

@Suite("What a user had stays out by kind, and by category")
struct ExclusionRuleTests {
    private static let bought: UInt8 = 1 << InteractionType.purchase.rawValue, clicked: UInt8 = 1 << InteractionType.click.rawValue
    private static let machines = ExclusionRule([.click], categoryTypes: [.purchase], categories: ["machines", "a b:1"])

    @Test("kinds decide everywhere, kinds with categories there alone")
    func decides() {
        let rule = Self.machines
        #expect(rule.keepsOut(Self.clicked) { nil } && !rule.keepsOut(Self.bought) { nil } && !rule.keepsOut(0) { "machines" })
        #expect(rule.keepsOut(Self.bought) { "machines" } && !rule.keepsOut(Self.bought) { "tea" })
        #expect(rule.types == [.click, .purchase] && rule.everywhere == [.click] && !rule.isEmpty)
        #expect(ExclusionRule().isEmpty && ExclusionRule([], categoryTypes: [.purchase]).isEmpty && ([] as ExclusionRule).isEmpty)
        #expect(ExclusionRule([], categories: ["x"]).categories.isEmpty)
        #expect(([InteractionType.purchase.rawValue] as ExclusionRule) == .purchased)
        #expect(ExclusionRule.seen.types == [.click, .addToCart, .purchase])
        // Being shown keeps nothing out, and no number outside of the kinds does.
        #expect(([0, 8, 255] as ExclusionRule).isEmpty)
    }

    @Test("a rule is read as it was written, and damaged ones are refused", arguments: [
        machines, .purchased, .seen, [], ExclusionRule([], categoryTypes: [.purchase], categories: ["", " ", "3:x", "é 4:", "\n"]),
    ])
    func coding(_ rule: ExclusionRule) {
        #expect(ExclusionRule(encoded: rule.encoded) == rule)
        for broken in ["", "1", "a 1", "300 1", "1 2 ", "1 2 9:x", "1 2 -1:x", "1 2 1x", "1 2 99999999999999999999:x", rule.encoded + "!"] {
            #expect(ExclusionRule(encoded: broken) == nil, "\(broken)")
        }
    }

    @Test("a snapshot tells by the finest category of its catalogue, and leaves unknown items to the kinds")
    func snapshot() {
        let catalogue = [
            CatalogueEntry(itemID: "washer", categories: ["home", "machines"]),
            CatalogueEntry(itemID: "tea", categories: ["machines", "tea"]),
            CatalogueEntry(itemID: "bare"),
        ]
        let snapshot = ServingSnapshot(catalogue: catalogue, catalogueVersion: 1)
        let met = ["washer", "tea", "bare", "gone"], bought = [UInt8](repeating: Self.bought, count: 4)
        #expect(snapshot.keptOut(met, ways: bought, by: Self.machines) == ["washer"])
        #expect(snapshot.keptOut(met, ways: bought.map { $0 | Self.clicked }, by: Self.machines) == met)
        #expect(snapshot.keptOut(met, ways: bought, by: .purchased) == met)
        #expect(snapshot.exclusion == .purchased)
    }
}

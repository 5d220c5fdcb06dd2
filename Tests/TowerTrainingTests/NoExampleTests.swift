import Testing
import TowerModel
import TowerTraining

@Suite struct NoExampleTests {
    @Test(
        "a training without any example is refused: its parameters would stay as they were drawn",
        arguments: [[("click_weight", "0")], [("click_weight", "0.0001")], [("click_weight", "0"), ("purchase_weight", "7")]])
    func refused(settings: [(String, String)]) throws {
        // Clicks alone.
        let set = PlantedShop(users: 20, length: 4).set
        let error = #expect(throws: ConfigurationError.self) { try Trainer(set, configuration: PlantedShop.configuration(settings)) }
        #expect(error?.description.contains("train.click_weight \(settings[0].1)") == true, "\(error?.description ?? "")")
    }
}

import Settings
import Testing

struct ArtifactsKeyTests {
    @Test func aShortKeyIsRefusedWithoutBeingRepeated() throws {
        let error = #expect(throws: ConfigurationError.self) {
            try Sources.environment(["FRESHET_ARTIFACTS_KEY": "fifteen-letters"]).checkTogether()
        }
        #expect(
            error?.description.contains("artifacts.key has 15 characters") == true
                && error?.description.contains("fifteen-letters") == false)
        try Sources.environment(["FRESHET_ARTIFACTS_KEY": "sixteen-letters!"]).checkTogether()
        try Sources.yaml("artifacts: {}").checkTogether()
    }
}

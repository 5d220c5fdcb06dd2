import Foundation
import Interactions
import TowerModel
import Testing

/// What no compiler sees of a new kind of event: ``InteractionType`` is known by number or by name in places that do not know the type.
@Suite("Every kind of event is known wherever kinds are")
struct EventKindTests {
    private static func text(_ path: String) throws -> String {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    @Test("the towers have a place for each that a history may hold, by its number")
    func towers() {
        #expect(InteractionType.acts.allSatisfy { Int($0.rawValue) < TowerShape.typeCount })
        #expect(InteractionType.acts.map { Int($0.rawValue) }.max() == TowerShape.typeCount - 1)
    }

    @Test("the schema and the OpenAPI document name each", arguments: InteractionType.allCases)
    func described(kind: InteractionType) throws {
        #expect(try Self.text("schemas/event.v1.json").contains("\"\(kind.name)\""))
        #expect(try Self.text("Sources/RecommendationAPI/Resources/openapi.json").contains("`\(kind.name)`"))
        #expect(try Self.text("Sources/RecommendationAPI/Resources/dashboard.js").contains("\(kind.name): \""))
        #expect(try Self.text("docs/data.md").contains("\(kind.rawValue) \(kind.name)"))
    }

    @Test("what somebody did has a weight as an example, for the trainer and among the goals", arguments: InteractionType.acts)
    func weighed(kind: InteractionType) throws {
        #expect(TowerConfiguration.keys.contains { $0.name == "\(kind.name)_weight" })
        #expect(try Self.text("Sources/Settings/KeyName.swift").contains("= \"objectives.\(kind.name)\""))
    }

    @Test("acts are all kinds but being shown an item and giving one back")
    func acts() {
        #expect(InteractionType.acts == Set(InteractionType.allCases).subtracting([.impression, .return]))
    }
}

import Testing

@Suite("Folders of a target lie one above the other")
struct FolderTests {
    private static func graph(of target: String) throws -> FolderGraph {
        let root = "Sources/\(target)/"
        var files: [String: String] = [:]
        for path in Checkout.swiftSources() where path.hasPrefix(root) {
            files[String(path.dropFirst(root.count))] = try Checkout.text(path)
        }
        return FolderGraph(files: files)
    }

    @Test("no folders of a target use each other", arguments: try Checkout.folders(in: "Sources"))
    func cycles(target: String) throws {
        let graph = try Self.graph(of: target)
        for group in graph.cycles {
            Issue.record("\(target) has folders in a cycle: \(group.joined(separator: ", "))\n\(graph.explained(group))")
        }
    }

    @Test("the graph is read: the root's commands use its configuration, and learning has parts that use its log")
    func read() throws {
        #expect(try Self.graph(of: "FreshetCommand").uses["Commands"]?["Configuration"] != nil)
        #expect(try Self.graph(of: "Learning").uses["Parts"]?["Log"] != nil)
    }

    @Test("a planted cycle is found, through a third folder too, and comments, strings and private types make none")
    func planted() {
        let straight = [
            "A/One.swift": "struct One { var two: Two }", "B/Two.swift": "/// See One.\npublic struct Two { let text = \"One\" }",
            "C/Three.swift": "private struct Two {}\nenum Three {}",
        ]
        #expect(FolderGraph(files: straight).cycles == [])
        #expect(FolderGraph(files: straight).uses == ["A": ["B": "Two in A/One.swift"], "C": ["B": "Two in C/Three.swift"]])
        var turned = straight
        turned["B/Four.swift"] = "func four() -> Three? { nil }"
        turned["C/Five.swift"] = "extension One {}"
        #expect(FolderGraph(files: turned).cycles == [["A", "B", "C"]])
        #expect(FolderGraph(files: turned).explained(["A", "B", "C"]).contains("B -> C: Three in B/Four.swift"))
        let top = ["Top.swift": "struct Top { var a: One }", "A/One.swift": "struct One { var top: Top? }"]
        #expect(FolderGraph(files: top).cycles == [[".", "A"]])
    }
}

/// Which folders of a target use types of which others, read from the text: a type that a file declares at its top, and its name in a
/// file of another folder.
struct FolderGraph {
    /// By folder the folders that it uses, each with a type and the file that names it, as an example.
    private(set) var uses: [String: [String: String]] = [:]

    /// The graph of a target's files: text by path below the target's folder. A file in the target's folder itself is in the folder `.`.
    init(files: [String: String]) {
        var declared: [String: Set<String>] = [:], words: [(path: String, folder: String, names: Set<Substring>)] = []
        for (path, text) in files {
            let folder = Self.folder(of: path), lines = SourceRules.code(text)
            for line in lines {
                if let name = Self.declaration(in: line) { declared[name, default: []].insert(folder) }
            }
            let names = lines.flatMap { $0.split { !($0.isLetter || $0.isNumber || $0 == "_") } }.filter { $0.first?.isUppercase == true }
            words.append((path, folder, Set(names)))
        }
        for (path, folder, names) in words.sorted(by: { $0.path < $1.path }) {
            for name in names.sorted() {
                guard let homes = declared[String(name)], !homes.contains(folder) else { continue }
                for home in homes where uses[folder]?[home] == nil { uses[folder, default: [:]][home] = "\(name) in \(path)" }
            }
        }
    }

    /// Folders that use each other, directly or by way of others: each group sorted; none in a house where folders lie one above the other.
    var cycles: [[String]] {
        let folders = Set(uses.keys).union(uses.values.flatMap(\.keys))
        let reached = Dictionary(uniqueKeysWithValues: folders.map { ($0, self.reached(from: $0)) })
        let groups = folders.filter { reached[$0]?.contains($0) == true }.map { folder in
            folders.filter { reached[folder]?.contains($0) == true && reached[$0]?.contains(folder) == true }.sorted()
        }
        return Set(groups).sorted { $0.joined() < $1.joined() }
    }

    /// The uses within a group, for whoever has to undo one.
    func explained(_ group: [String]) -> String {
        group.flatMap { folder in
            (uses[folder] ?? [:]).filter { group.contains($0.key) }.map { "\(folder) -> \($0.key): \($0.value)" }.sorted()
        }.joined(separator: "\n")
    }

    private func reached(from folder: String) -> Set<String> {
        var found: Set<String> = [], open = [folder]
        while let next = open.popLast() {
            for used in (uses[next] ?? [:]).keys where found.insert(used).inserted { open.append(used) }
        }
        return found
    }

    private static func folder(of path: String) -> String {
        path.firstIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }

    /// The name of a type that a line declares at the top of a file, for others to use.
    private static func declaration(in line: String) -> String? {
        let pattern = /^(?:(?:public|package|final|indirect|@\w+)\s+)*(?:struct|class|enum|actor|protocol|typealias)\s+(\w+)/
        return line.firstMatch(of: pattern).map { String($0.1) }
    }
}

import Foundation

/// The files of the checkout that these tests belong to.
enum Checkout {
    /// The folder that holds `Package.swift`.
    static let root: URL = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// A file's text; the test that asked fails where there is none.
    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// The paths, relative to the root and sorted, of the files below a folder; build folders are left out.
    static func files(below folder: String, where accept: (String) -> Bool = { _ in true }) -> [String] {
        let base = root.appending(path: folder)
        guard let walk = FileManager.default.enumerator(atPath: base.path) else { return [] }
        var found: [String] = []
        while let entry = walk.nextObject() as? String {
            let path = folder.isEmpty ? entry : folder + "/" + entry
            guard !entry.hasPrefix(".build"), !entry.hasPrefix(".git/"), !entry.hasPrefix(".freshet") else { continue }
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: base.appending(path: entry).path, isDirectory: &isFolder),
                !isFolder.boolValue, accept(path)
            else { continue }
            found.append(path)
        }
        return found.sorted()
    }

    /// The Swift files of our own targets.
    static func swiftSources() -> [String] {
        files(below: "Sources") { $0.hasSuffix(".swift") }
    }

    /// The names of the folders directly below a folder.
    static func folders(in folder: String) throws -> [String] {
        let base = root.appending(path: folder)
        return try FileManager.default.contentsOfDirectory(atPath: base.path).filter {
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: base.appending(path: $0).path, isDirectory: &isFolder)
                && isFolder.boolValue
        }.sorted()
    }
}

import TowerModel

/// The state of a training run, so that it can go on after a crash: a directory a checkpoint, the last two kept.
public struct CheckpointStore: Sendable {
    /// How many checkpoints are kept.
    public static let kept = 2
    private static let tensorsFile = "checkpoint.safetensors"
    private static let prefix = "checkpoint-"

    /// The folder that checkpoints lie in.
    public let root: String

    /// A store under a directory that belongs to one run.
    public init(root: String) {
        self.root = root
    }

    /// Writes a checkpoint under the next number and removes those that are too old.
    @discardableResult
    public func write(_ checkpoint: Checkpoint) throws(ArtifactError) -> String {
        let name = Self.prefix + Self.padded((names().last.flatMap(Self.number) ?? 0) + 1)
        let directory = try ArtifactDirectory(root: root, name: name)
        _ = try directory.write { (add) throws(ArtifactError) in
            var manifest = Manifest(kind: .checkpoint, settings: checkpoint.settings, counters: checkpoint.counters)
            manifest.files[Self.tensorsFile] = try add(Self.tensorsFile) { (file) throws(ArtifactError) in
                try Safetensors.write(checkpoint.tensors, to: &file, path: directory.path)
            }
            return manifest
        }
        for old in names().dropLast(Self.kept) { ArtifactDirectory.remove("\(root)/\(old)") }
        return directory.path
    }

    /// The newest checkpoint, or nil where there is none.
    ///
    /// A damaged one is refused; the error names it, and without it the one before is the newest.
    public func newest() throws(ArtifactError) -> Checkpoint? {
        guard let name = names().last else { return nil }
        return try read(path: "\(root)/\(name)")
    }

    /// Reads the checkpoint in a directory.
    public func read(path: String) throws(ArtifactError) -> Checkpoint {
        let manifest = try ArtifactDirectory.manifest(at: path, kind: .checkpoint)
        let tensors = try ArtifactDirectory.file(Self.tensorsFile, at: path, of: manifest)
        return Checkpoint(
            settings: manifest.settings, counters: manifest.counters,
            tensors: try tensors.read { (bytes) throws(ArtifactError) in try Safetensors.readFloats(bytes, path: tensors.path) })
    }

    /// Removes all checkpoints: the run is done.
    public func removeAll() {
        for name in names() { ArtifactDirectory.remove("\(root)/\(name)") }
    }

    /// The names of whole checkpoints, oldest first.
    public func names() -> [String] {
        ArtifactDirectory.names(in: root).filter { Self.number($0) != nil }
    }

    private static func number(_ name: String) -> Int? {
        name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count)) : nil
    }

    /// Eight digits, so that the order of names is that of numbers.
    private static func padded(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }
}

import Files
import Recommending
import Tensors
import TowerModel

/// Where an artifact is and what it must be: the registry's row.
public struct ArtifactReference: Sendable, Equatable {
    /// The directory.
    public var path: String
    /// The CRC-32 of its manifest, which holds the checksums of all other files.
    public var checksum: String
    /// The SHA-256 of its manifest, which holds those of all other files; nil for one that was registered without.
    public var sha256: String?

    /// Makes a reference.
    public init(path: String, checksum: String, sha256: String? = nil) {
        self.path = path
        self.checksum = checksum
        self.sha256 = sha256
    }
}

/// A model with its parts as read from its directory.
public struct ModelArtifact: Sendable {
    /// The directory.
    public var path: String
    /// The towers and all that was learned beside them.
    public var bundle: ModelBundle
    /// `[bundle.model.itemIDs.count, dimension]`, row-major, where the writer gave them.
    public var itemVectors: [Float]?
    /// What the writer noted, the bundle's own notes among it.
    public var notes: [String: String]

    /// The towers.
    public var model: TwoTowerModel { bundle.model }
}

/// Model versions as directories under one root.
///
/// A version is written once, whole or not at all, and never changed: `model.safetensors` (towers), `items.ids` (item ids
/// by row), `items.safetensors` (item vectors, if given), one more file a part that the model has (`blend.safetensors`,
/// `heads.safetensors`, `content.safetensors`, `domains.safetensors`, `adaptation.safetensors`) and `manifest.json` (format version,
/// settings, notes, sizes, CRC-32 and SHA-256 of the other files; signed in `manifest.hmac` where there is a key).
/// Anything cut short, changed, of another version or mixed up is refused by name.
/// A value may be used from several threads at once; its calls block.
public struct ArtifactStore: Sendable {
    private static let tensorsFile = "model.safetensors"
    private static let idsFile = "items.ids"
    private static let vectorsFile = "items.safetensors"
    private static let vectorsName = "item_vectors"

    /// The directory that holds one directory a version. It is made when the first one is written.
    public let root: String
    /// Whether only what was written with the store's key is read.
    public var isSigned: Bool { key != nil }
    private let key: [UInt8]?

    /// A store under a directory.
    ///
    /// - Parameter key: signs what is written; nothing else is read then.
    public init(root: String, key: [UInt8]? = nil) {
        self.root = root
        self.key = key
    }

    /// Writes a model without parts under a new name.
    public func write(
        _ model: TwoTowerModel, name: String, itemVectors: [Float]? = nil, notes: [String: String] = [:]
    ) throws(ArtifactError) -> ArtifactReference {
        try write(ModelBundle(model), name: name, itemVectors: itemVectors, notes: notes)
    }

    /// Writes a model with its parts under a new name.
    ///
    /// - Parameters:
    ///   - itemVectors: `[model.itemIDs.count, dimension]`, row-major, so that serving need not encode the catalogue.
    ///   - notes: anything else to keep with the model.
    /// - Throws: also where the parts are not of one model.
    public func write(
        _ bundle: ModelBundle, name: String, itemVectors: [Float]? = nil, notes: [String: String] = [:]
    ) throws(ArtifactError) -> ArtifactReference {
        let directory = try ArtifactDirectory(root: root, name: name), path = directory.path, model = bundle.model
        if let itemVectors, itemVectors.count != model.itemIDs.count * model.dimension {
            throw ArtifactError(
                .unusable, path: path,
                "\(itemVectors.count) floats are not \(model.itemIDs.count) item vectors of dimension \(model.dimension).")
        }
        do throws(PartFormatError) { try bundle.check() } catch { throw ArtifactError(.unusable, path: path, error.description) }
        return try directory.write(key: key) { (add) throws(ArtifactError) in
            var manifest = Manifest(
                kind: .model,
                settings: Dictionary(model.configuration.settings.map { ($0.key, $0.value) }) { first, _ in first },
                notes: notes.merging(bundle.notes) { _, own in own }, itemCount: model.itemIDs.count)
            manifest.files[Self.tensorsFile] = try add(Self.tensorsFile) { (file) throws(ArtifactError) in
                try Safetensors.write(model.tensors, int8: model.int8Tensors, to: &file, path: path)
            }
            manifest.files[Self.idsFile] = try add(Self.idsFile) { (file) throws(ArtifactError) in
                try file.append(ItemIDFile.bytes(model.itemIDs))
            }
            if let itemVectors {
                let tensor = NamedTensor(
                    name: Self.vectorsName, shape: [model.itemIDs.count, model.dimension], values: itemVectors)
                manifest.files[Self.vectorsFile] = try add(Self.vectorsFile) { (file) throws(ArtifactError) in
                    try Safetensors.write([tensor], to: &file, path: path)
                }
            }
            let parts = bundle.parts
            for part in ModelBundle.Part.allCases {
                guard let tensors = parts[part] else { continue }
                manifest.files[part.fileName] = try add(part.fileName) { (file) throws(ArtifactError) in
                    try Safetensors.write(tensors, to: &file, path: path)
                }
            }
            return manifest
        }
    }

    /// Reads the model that the registry refers to. Every byte is checked first.
    public func read(_ reference: ArtifactReference) throws(ArtifactError) -> ModelArtifact {
        try read(at: reference.path, expecting: reference)
    }

    /// Reads the model in a directory, whichever it is.
    public func read(path: String) throws(ArtifactError) -> ModelArtifact { try read(at: path, expecting: nil) }

    /// Checks every byte of the model that the registry refers to, and makes no model of it.
    public func verify(_ reference: ArtifactReference) throws(ArtifactError) {
        let manifest = try ArtifactDirectory.manifest(at: reference.path, kind: .model, expecting: reference, key: key)
        for name in manifest.files.keys.sorted() {
            _ = try ArtifactDirectory.file(name, at: reference.path, of: manifest, isSigned: isSigned)
        }
    }

    private func read(at path: String, expecting reference: ArtifactReference?) throws(ArtifactError) -> ModelArtifact {
        let manifest = try ArtifactDirectory.manifest(at: path, kind: .model, expecting: reference, key: key)
        func file(_ name: String) throws(ArtifactError) -> LoadedFile {
            try ArtifactDirectory.file(name, at: path, of: manifest, isSigned: isSigned)
        }
        let tensors = try file(Self.tensorsFile)
        let ids = try file(Self.idsFile)
        let itemIDs = try ids.read { (bytes) throws(ArtifactError) in
            try ItemIDFile.read(bytes, count: manifest.itemCount, path: ids.path)
        }
        let model: TwoTowerModel
        do {
            model = try TwoTowerModel(
                configuration: try Self.configuration(manifest.settings), itemIDs: itemIDs,
                tensors: try tensors.read { (bytes) throws(ArtifactError) in try Safetensors.readFloats(bytes, path: tensors.path) })
        } catch let error as ArtifactError {
            throw error
        } catch {
            throw ArtifactError(
                .unusable, path: path, "\(error). Train again, or use the program that wrote the artifact.")
        }
        var parts: [ModelBundle.Part: PartTensors] = [:]
        for part in ModelBundle.Part.allCases where manifest.files[part.fileName] != nil {
            let own = try file(part.fileName)
            parts[part] = try own.read { (bytes) throws(ArtifactError) in try Safetensors.read(bytes, path: own.path) }
        }
        let bundle: ModelBundle
        do throws(PartFormatError) {
            bundle = try ModelBundle(model: model, parts: parts, notes: manifest.notes)
        } catch {
            throw ArtifactError(.unusable, path: path, error.description)
        }
        return ModelArtifact(
            path: path, bundle: bundle, itemVectors: try vectors(manifest, path, model), notes: manifest.notes)
    }

    /// The names of whole artifacts, in order.
    public func names() -> [String] {
        ArtifactDirectory.names(in: root)
    }

    /// Removes an artifact. Nothing happens where there is none.
    public func remove(name: String) throws(ArtifactError) {
        ArtifactDirectory.remove(try ArtifactDirectory(root: root, name: name).path)
    }

    private static func configuration(_ settings: [String: String]) throws -> TowerConfiguration {
        var configuration = TowerConfiguration()
        // The preset replaces other settings, so it comes first.
        if let preset = settings["preset"] { try configuration.set("preset", preset) }
        for (key, value) in settings.sorted(by: { $0.key < $1.key }) where key != "preset" {
            try configuration.set(key, value)
        }
        return configuration
    }

    private func vectors(
        _ manifest: Manifest, _ path: String, _ model: TwoTowerModel
    ) throws(ArtifactError) -> [Float]? {
        guard manifest.files[Self.vectorsFile] != nil else { return nil }
        let file = try ArtifactDirectory.file(Self.vectorsFile, at: path, of: manifest, isSigned: isSigned)
        let tensors = try file.read { (bytes) throws(ArtifactError) in try Safetensors.readFloats(bytes, path: file.path) }
        guard let tensor = tensors.first(where: { $0.name == Self.vectorsName }),
            tensor.shape == [model.itemIDs.count, model.dimension]
        else {
            throw ArtifactError(.unusable, path: file.path, "its vectors do not fit the model. Train again.")
        }
        return tensor.values
    }
}

extension ModelBundle.Part {
    /// The file that holds it.
    var fileName: String { rawValue + ".safetensors" }
}

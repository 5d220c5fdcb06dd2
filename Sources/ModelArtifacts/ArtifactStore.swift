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

/// A model as read from its directory.
public struct ModelArtifact: Sendable {
    /// The folder that the artifact lies in.
    public var path: String
    /// The model.
    public var model: TwoTowerModel
    /// `[model.itemIDs.count, dimension]`, row-major, where the writer gave them.
    public var itemVectors: [Float]?
    /// What its writer noted, by name.
    public var notes: [String: String]
    /// Further files by the name that the writer gave them.
    public var attachments: [String: [UInt8]] = [:]
}

/// Model versions as directories under one root.
///
/// A version is written once, whole or not at all, and never changed: `model.safetensors` (tensors), `items.ids` (item ids
/// by row), `items.safetensors` (item vectors, if given), `domains.safetensors` and `domains.ids` (domain adapters, where the model has
/// any), attachments (such as the ranking blend) and `manifest.json` (format version, settings, notes, sizes,
/// CRC-32 and SHA-256 of the other files; signed in `manifest.hmac` where there is a key).
/// Anything cut short, changed, of another version or mixed up is refused by name.
/// A value may be used from several threads at once; its calls block.
public struct ArtifactStore: Sendable {
    private static let tensorsFile = "model.safetensors"
    private static let idsFile = "items.ids"
    private static let vectorsFile = "items.safetensors"
    private static let vectorsName = "item_vectors"
    private static let domainsFile = "domains.safetensors"
    private static let domainIDsFile = "domains.ids"
    private static let domainsName = "domain_adapters"
    private static let attachmentEnding = ".attachment"

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

    /// Writes a model under a new name.
    ///
    /// - Parameters:
    ///   - itemVectors: `[model.itemIDs.count, dimension]`, row-major, so that serving need not encode the catalogue.
    ///   - notes: anything to keep with the model, such as its watermark.
    ///   - attachments: further files by name, checked like the others. A name has lower-case letters, digits and dots, no dot first.
    public func write(
        _ model: TwoTowerModel, name: String, itemVectors: [Float]? = nil, notes: [String: String] = [:],
        attachments: [String: [UInt8]] = [:]
    ) throws(ArtifactError) -> ArtifactReference {
        let directory = try ArtifactDirectory(root: root, name: name)
        let path = directory.path
        let dimension = model.dimension
        if let itemVectors, itemVectors.count != model.itemIDs.count * dimension {
            throw ArtifactError(
                .unusable, path: path,
                "\(itemVectors.count) floats are not \(model.itemIDs.count) item vectors of dimension \(dimension).")
        }
        if let name = attachments.keys.first(where: { !Self.isAttachmentName($0) }) {
            throw ArtifactError(
                .invalidName, path: path,
                "\"\(name)\" is no name of an attachment. Use 1 to 32 lower-case letters, digits and dots, no dot first.")
        }
        return try directory.write(key: key) { (add) throws(ArtifactError) in
            var manifest = Manifest(
                kind: .model,
                settings: Dictionary(model.configuration.settings.map { ($0.key, $0.value) }) { first, _ in first },
                notes: notes, itemCount: model.itemIDs.count)
            manifest.files[Self.tensorsFile] = try add(Self.tensorsFile) { (file) throws(ArtifactError) in
                try Safetensors.write(model.tensors, int8: model.int8Tensors, to: &file, path: path)
            }
            manifest.files[Self.idsFile] = try add(Self.idsFile) { (file) throws(ArtifactError) in
                try file.append(ItemIDFile.bytes(model.itemIDs))
            }
            if let itemVectors {
                let tensor = NamedTensor(
                    name: Self.vectorsName, shape: [model.itemIDs.count, dimension], values: itemVectors)
                manifest.files[Self.vectorsFile] = try add(Self.vectorsFile) { (file) throws(ArtifactError) in
                    try Safetensors.write([tensor], to: &file, path: path)
                }
            }
            if let domains = model.domains, !domains.tokens.isEmpty {
                let width = DomainAdapters.width(dimension: domains.dimension, rank: domains.rank)
                let tensor = NamedTensor(name: Self.domainsName, shape: [domains.tokens.count, width], values: domains.values)
                manifest.files[Self.domainsFile] = try add(Self.domainsFile) { (file) throws(ArtifactError) in
                    try Safetensors.write([tensor], to: &file, path: path)
                }
                manifest.files[Self.domainIDsFile] = try add(Self.domainIDsFile) { (file) throws(ArtifactError) in
                    try file.append(ItemIDFile.bytes(domains.tokens))
                }
            }
            for (name, bytes) in attachments.sorted(by: { $0.key < $1.key }) {
                let file = name + Self.attachmentEnding
                manifest.files[file] = try add(file) { (file) throws(ArtifactError) in try file.append(bytes) }
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
        var model: TwoTowerModel
        do {
            model = try TwoTowerModel(
                configuration: try Self.configuration(manifest.settings), itemIDs: itemIDs,
                tensors: try tensors.read { (bytes) throws(ArtifactError) in try Safetensors.read(bytes, path: tensors.path) })
        } catch let error as ArtifactError {
            throw error
        } catch {
            throw ArtifactError(
                .unusable, path: path, "\(error). Train again, or use the program that wrote the artifact.")
        }
        model.domains = try domains(manifest, path, model)
        var attachments: [String: [UInt8]] = [:]
        for file in manifest.files.keys.sorted() where file.hasSuffix(Self.attachmentEnding) {
            attachments[String(file.dropLast(Self.attachmentEnding.count))] = try ArtifactDirectory.file(
                file, at: path, of: manifest, isSigned: isSigned
            ).read { [UInt8]($0) }
        }
        return ModelArtifact(
            path: path, model: model, itemVectors: try vectors(manifest, path, model), notes: manifest.notes,
            attachments: attachments)
    }

    /// The names of whole artifacts, in order.
    public func names() -> [String] {
        ArtifactDirectory.names(in: root)
    }

    /// Removes an artifact. Nothing happens where there is none.
    public func remove(name: String) throws(ArtifactError) {
        ArtifactDirectory.remove(try ArtifactDirectory(root: root, name: name).path)
    }

    private static func isAttachmentName(_ name: String) -> Bool {
        1...32 ~= name.utf8.count && !name.hasPrefix(".") && name.utf8.allSatisfy {
            UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || $0 == UInt8(ascii: ".")
        }
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
        let tensors = try file.read { (bytes) throws(ArtifactError) in try Safetensors.read(bytes, path: file.path) }
        guard let tensor = tensors.first(where: { $0.name == Self.vectorsName }),
            tensor.shape == [model.itemIDs.count, model.dimension]
        else {
            throw ArtifactError(.unusable, path: file.path, "its vectors do not fit the model. Train again.")
        }
        return tensor.values
    }

    /// The domain adapters; nil in an artifact without any.
    private func domains(
        _ manifest: Manifest, _ path: String, _ model: TwoTowerModel
    ) throws(ArtifactError) -> DomainAdapters? {
        guard manifest.files[Self.domainsFile] != nil else { return nil }
        let file = try ArtifactDirectory.file(Self.domainsFile, at: path, of: manifest, isSigned: isSigned)
        let ids = try ArtifactDirectory.file(Self.domainIDsFile, at: path, of: manifest, isSigned: isSigned)
        let tensors = try file.read { (bytes) throws(ArtifactError) in try Safetensors.read(bytes, path: file.path) }
        let least = DomainAdapters.width(dimension: model.dimension, rank: 0)
        guard let tensor = tensors.first(where: { $0.name == Self.domainsName }), tensor.shape.count == 2, tensor.shape[1] >= least,
            (tensor.shape[1] - least) % (2 * model.dimension) == 0
        else {
            throw ArtifactError(.unusable, path: file.path, "its domain adapters do not fit the model. Train again.")
        }
        let tokens = try ids.read { (bytes) throws(ArtifactError) in
            try ItemIDFile.read(bytes, count: tensor.shape[0], path: ids.path)
        }
        do {
            return try DomainAdapters(
                tokens: tokens, dimension: model.dimension, rank: (tensor.shape[1] - least) / (2 * model.dimension), values: tensor.values)
        } catch {
            throw ArtifactError(.unusable, path: file.path, "\(error). Train again.")
        }
    }
}

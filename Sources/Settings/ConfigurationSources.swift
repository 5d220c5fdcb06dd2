import Bytes
import Foundation
import Interactions
import TowerModel
import Yams

extension Configuration {
    /// Reads `freshet.yaml` (or the files that `--config` names), then the environment, then `key=value` flags.
    ///
    /// - Parameter files: read one after the other; a later one wins by key, and in mappings by entry.
    /// - Throws: ``ConfigurationError`` that names the file, variable or flag at fault.
    public static func load(
        files: [String], environment: [String: String], flags: [(key: String, value: String)]
    ) throws(ConfigurationError) -> Configuration {
        var configuration = Configuration()
        for path in Self.existing(files) {
            let file = try SettingsFile(path: path)
            try configuration.read(file)
            let secret = file.isReadByAll ? configuration.secretKeys(from: path) : []
            guard !secret.isEmpty else { continue }
            configuration.warnings.append(
                "\(path): every user of this machine may read it, and it holds secrets (\(secret.joined(separator: ", "))); take the right "
                    + "away (chmod o-r), or let variables such as FRESHET_DATABASE_URL_FILE name files of their own for them")
        }
        try configuration.readEnvironment(environment)
        for flag in flags {
            let key = String(flag.key.trimmingSpaces)
            try configuration.set(key, text: flag.value, source: "--set \(key)")
        }
        try configuration.checkTogether()
        return configuration
    }

    /// What a key with one value is set to, as far as that can be said where other settings are wrong; nil where nothing sets it.
    ///
    /// Pipes are left alone: they can be read once only.
    public static func glimpse(
        _ name: KeyName, files: [String], environment: [String: String], flags: [(key: String, value: String)]
    ) -> String? {
        var found = Configuration()
        let key = name.rawValue, variable = name.environmentName
        for path in existing(files) where isRegularFile(path) {
            guard let mapping = try? SettingsFile(path: path).root()?.mapping else { continue }
            if let text = scalar(key, in: mapping) { try? found.set(key, text: text, source: path) }
        }
        if let value = environment[variable], !value.isEmpty { try? found.set(key, text: value, source: variable) }
        for flag in flags where flag.key.trimmingSpaces == key { try? found.set(key, text: flag.value, source: "--set") }
        return found.isSet(name) ? found.text(name) : nil
    }

    private static func isRegularFile(_ path: String) -> Bool {
        let attributes = try? FileManager.default.attributesOfItem(atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
        return attributes?[.type] as? FileAttributeType == .typeRegular
    }

    /// A value in a document, whether its key is written with a dot or in a section.
    private static func scalar(_ key: String, in mapping: Node.Mapping) -> String? {
        for (name, value) in mapping {
            guard let word = name.scalar?.string else { continue }
            if word == key { return value.scalar?.string }
            if key.hasPrefix(word + "."), let inner = value.mapping {
                if let text = scalar(String(key.dropFirst(word.count + 1)), in: inner) { return text }
            }
        }
        return nil
    }

    /// The named files, or `freshet.yaml` where there is one.
    private static func existing(_ files: [String]) -> [String] {
        files.isEmpty && FileManager.default.fileExists(atPath: "freshet.yaml") ? ["freshet.yaml"] : files
    }

    // MARK: Files

    private mutating func read(_ file: SettingsFile) throws(ConfigurationError) {
        guard let root = try file.root(), !YAMLNode.isNull(root) else { return }
        var lines: [String: Int] = [:]
        guard let mapping = root.mapping else {
            throw ConfigurationError("\(file.path) holds no mapping, but takes sections such as 'database:'")
        }
        try read(mapping, below: "", path: file.path, lines: &lines)
    }

    /// - Parameter lines: where each key was set, so that none is set twice in one file, whichever way it is written.
    private mutating func read(
        _ mapping: Node.Mapping, below section: String, path: String, lines: inout [String: Int]
    ) throws(ConfigurationError) {
        for (key, value) in mapping {
            let line = key.mark?.line, source = line.map { "\(path):\($0)" } ?? path
            let word = try YAMLNode.word(key, source: source)
            let name = section.isEmpty ? word : section + "." + word
            if Self.isKnown(name) {
                try note(name, value, line: line, path: path, lines: &lines)
                guard let value = try YAMLNode.value(of: value, key: name, source: source) else { continue }
                try set(name, value, source: source)
            } else if let inner = value.mapping, !inner.isEmpty {
                try read(inner, below: name, path: path, lines: &lines)
            } else if !Self.isSection(name) {
                throw Self.unknown(name, source: source)
            } else if !YAMLNode.isNull(value), value.mapping == nil {
                let example = ConfigurationKey.all.first { $0.name.hasPrefix(name + ".") }?.name ?? ""
                throw ConfigurationError("\(source): \(name) is a section: it takes keys below it, such as \(example)")
            }
        }
    }

    private func note(_ name: String, _ value: Node, line: Int?, path: String, lines: inout [String: Int]) throws(ConfigurationError) {
        var names = [(name, line)]
        if ConfigurationKey.byName[name]?.kind.isMap == true, let entries = value.mapping {
            names = entries.map { (name + "." + ($0.key.scalar?.string ?? ""), $0.key.mark?.line) }
        }
        for (name, line) in names {
            guard let line else { continue }
            if let first = lines.updateValue(line, forKey: name) {
                throw SettingsFile.twice(name, path: path, lines: (first, line))
            }
        }
    }

    private static func isSection(_ name: String) -> Bool {
        name == "train" || ConfigurationKey.all.contains { $0.name.hasPrefix(name + ".") }
    }

    // MARK: The environment

    /// The setting that a variable of no known section misses by a letter or two: it would be lost, and a key of the service with it.
    private static func misspelt(_ variable: String, _ names: some Collection<String>) -> String? {
        NearestName.close(to: variable.uppercased(), among: names)
    }

    private mutating func readEnvironment(_ environment: [String: String]) throws(ConfigurationError) {
        var names: [String: String] = [:]
        for key in ConfigurationKey.all { names[key.environmentName] = key.name }
        for key in TowerConfiguration.keys {
            names["FRESHET_TRAIN_" + key.name.uppercased().replacing(".", with: "_")] = "train." + key.name
        }
        let sections = Set(ConfigurationKey.all.map { "FRESHET_" + $0.section.uppercased() + "_" })
        for (variable, value) in environment.sorted(by: { $0.key < $1.key }) where variable.hasPrefix("FRESHET_") {
            if let key = names[variable] {
                try set(key, variable: variable, to: value)
            } else if let target = SecretFile.target(of: variable), let keys = Self.keys(of: target, names) {
                guard environment[target]?.allSatisfy(\.isWhitespace) ?? true else {
                    throw ConfigurationError("\(target) and \(variable) are both set: unset one of them")
                }
                let file = try SecretFile(variable: variable, path: value)
                if let warning = file.warning { warnings.append(warning) }
                for key in keys { try set(key, file: file, source: "\(variable) (\(value))") }
            } else if let map = ConfigurationKey.all.first(where: { $0.kind.isMap && variable.hasPrefix($0.environmentName + "_") }) {
                let written = String(variable.dropFirst(map.environmentName.count + 1))
                for entry in Self.entryNames(written, of: map) { try set(map.name + "." + entry, variable: variable, to: value) }
            } else if sections.contains(where: { variable.uppercased().hasPrefix($0) }) {
                // Variables of no known section belong to somebody else: FRESHET_DATA, FRESHET_SOAK.
                let target = SecretFile.target(of: variable), ending = target == nil ? "" : SecretFile.ending
                let hint =
                    NearestName.of((target ?? variable).uppercased(), among: names.keys).map { "; did you mean \($0)\(ending)?" } ?? ""
                throw ConfigurationError("the environment sets \(variable), which is no setting\(hint)")
            } else if let near = Self.misspelt(SecretFile.target(of: variable) ?? variable, names.keys) {
                let ending = SecretFile.target(of: variable) == nil ? "" : SecretFile.ending
                throw ConfigurationError("the environment sets \(variable), which is no setting; did you mean \(near)\(ending)?")
            }
        }
    }

    /// The keys that a variable sets; nil where it is none of ours.
    private static func keys(of variable: String, _ names: [String: String]) -> [String]? {
        if let key = names[variable] { return [key] }
        guard let map = ConfigurationKey.all.first(where: { $0.kind.isMap && variable.hasPrefix($0.environmentName + "_") }),
            case let written = variable.dropFirst(map.environmentName.count + 1), !written.isEmpty
        else { return nil }
        return entryNames(String(written), of: map).map { map.name + "." + $0 }
    }

    /// What a file holds is the value itself; lists may also have one entry a line.
    private mutating func set(_ key: String, file: SecretFile, source: String) throws(ConfigurationError) {
        let known = ConfigurationKey.byName[key], text = file.text
        guard known?.kind.isList == true || known?.kind.isMap == true else { return try set(key, .scalar(text), source: source) }
        guard !FlowText.isNull(text.trimmingSpaces) else {
            throw ConfigurationError("\(source) holds null, which sets nothing: write the value")
        }
        let lines = text.split(whereSeparator: \.isNewline)
        if known?.kind.isList == true, lines.count > 1 {
            return try set(key, .list(lines.map { String($0.trimmingSpaces) }), source: source)
        }
        try set(key, text: text, source: source)
    }

    /// A variable without a value is not set, except that it empties a list; a list of keys it must not empty by mistake.
    private mutating func set(_ key: String, variable: String, to value: String) throws(ConfigurationError) {
        if value.allSatisfy(\.isWhitespace) {
            guard case .list? = ConfigurationKey.byName[key]?.kind else {
                guard case .keys? = ConfigurationKey.byName[key]?.kind else { return }
                throw ConfigurationError("\(variable) is empty: give it a key, write [] for none, or unset it")
            }
        }
        try set(key, text: value, source: variable)
    }

    /// What a variable's end names in a mapping. A name in capitals alone also stands for its small form, since many write variables so.
    private static func entryNames(_ written: String, of map: ConfigurationKey) -> [String] {
        if map.name == "kafka.properties" {
            // librdkafka's names have dots, which no shell allows in a variable; an underscore of a name is written twice.
            let mark = "\u{1}"
            return [written.lowercased().replacing("__", with: mark).replacing("_", with: ".").replacing(mark, with: "_")]
        }
        if case .topics = map.kind { return [written == written.uppercased() ? written.lowercased() : written] }
        guard case .rates = map.kind else {
            let small = written.lowercased()
            return written == written.uppercased() && small != written ? [small, written] : [written]
        }
        return [written]
    }
}

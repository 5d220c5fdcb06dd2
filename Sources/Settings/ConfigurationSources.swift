import Foundation
import TwoTower
import Yams

extension Configuration {
    /// Reads `freshet.yaml` (or the file that `--config` names), then the environment, then `key=value` flags.
    ///
    /// - Throws: ``ConfigurationError`` that names the file, variable or flag at fault.
    public static func load(
        file: String?, environment: [String: String], flags: [(key: String, value: String)]
    ) throws(ConfigurationError) -> Configuration {
        var configuration = Configuration()
        if let file {
            try configuration.readYAML(path: file)
        } else if FileManager.default.fileExists(atPath: "freshet.yaml") {
            try configuration.readYAML(path: "freshet.yaml")
        }
        try configuration.readEnvironment(environment)
        for flag in flags {
            try configuration.set(flag.key, .scalar(flag.value), source: "--set \(flag.key)")
        }
        return configuration
    }

    private mutating func readYAML(path: String) throws(ConfigurationError) {
        guard let data = FileManager.default.contents(atPath: path), let text = String(data: data, encoding: .utf8) else {
            throw ConfigurationError("cannot read the configuration file \(path): it is missing, unreadable or not UTF-8")
        }
        let node: Node?
        do {
            node = try Yams.compose(yaml: text)
        } catch {
            throw ConfigurationError("\(path) is not valid YAML: \(error)")
        }
        guard let node else { return }
        try read(node, prefix: "", path: path)
    }

    private mutating func read(_ node: Node, prefix: String, path: String) throws(ConfigurationError) {
        let source = node.mark.map { "\(path):\($0.line)" } ?? path
        switch node {
        case .mapping(let mapping):
            if let known = ConfigurationKey.byName[prefix], case .map = known.kind {
                var entries: [String: String] = [:]
                for (key, value) in mapping {
                    guard let name = key.scalar?.string, let text = value.scalar?.string else {
                        throw ConfigurationError("\(source): \(prefix) takes plain names and values")
                    }
                    entries[name] = text
                }
                try set(prefix, .map(entries), source: source)
                return
            }
            for (key, value) in mapping {
                guard let name = key.scalar?.string else {
                    throw ConfigurationError("\(source): a key must be a plain word")
                }
                try read(value, prefix: prefix.isEmpty ? name : prefix + "." + name, path: path)
            }
        case .sequence(let sequence):
            var items: [String] = []
            for item in sequence {
                guard let text = item.scalar?.string else {
                    throw ConfigurationError("\(source): \(prefix) takes a list of plain values")
                }
                items.append(text)
            }
            try set(prefix, .list(items), source: source)
        case .scalar(let scalar):
            guard !prefix.isEmpty else {
                throw ConfigurationError("\(path) holds one word, but takes sections such as 'database:'")
            }
            // An empty section ("train:" with nothing below) is no setting.
            if scalar.string.isEmpty || (node.null != nil && scalar.style == .plain), ConfigurationKey.byName[prefix] == nil {
                return
            }
            try set(prefix, .scalar(scalar.string), source: source)
        case .alias:
            throw ConfigurationError("\(source): \(prefix) uses a YAML alias, which is not supported")
        }
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
                try set(key, .scalar(value), source: variable)
            } else if let map = ConfigurationKey.all.first(where: { key in
                if case .map = key.kind { variable.hasPrefix(key.environmentName + "_") } else { false }
            }) {
                let name = variable.dropFirst(map.environmentName.count + 1).lowercased()
                // librdkafka's names use dots, which no shell allows in a variable; event types use underscores.
                let entry = map.name == "kafka.properties" ? name.replacing("_", with: ".") : name
                try set(map.name + "." + entry, .scalar(value), source: variable)
            } else if sections.contains(where: { variable.hasPrefix($0) }) {
                // Variables of no known section belong to somebody else: FRESHET_DATA, FRESHET_SOAK.
                let hint = NearestName.of(variable, among: names.keys).map { "; did you mean \($0)?" } ?? ""
                throw ConfigurationError("the environment sets \(variable), which is no setting\(hint)")
            }
        }
    }
}

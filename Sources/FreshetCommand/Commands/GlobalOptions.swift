import ArgumentParser
import Console
import Foundation
import Interactions
import Logging

/// What every command takes.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Settings as YAML, instead of freshet.yaml where that exists; may be repeated: a later file wins by key.", valueName: "file"))
    var config: [String] = []

    @Option(name: .customLong("log-level"), help: "trace, debug, info, notice, warning or error.")
    var logLevel: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("One setting, over file and environment; may be repeated.", valueName: "key=value"))
    var settings: [String] = []

    /// The settings in force. A wrong one ends the command with status 64 and a sentence.
    func configuration(trainerKeys: Bool = false) throws -> Configuration {
        var flags: [(key: String, value: String)] = []
        for setting in settings {
            guard let equals = setting.firstIndex(of: "="), equals != setting.startIndex else {
                throw ValidationError("--set takes key=value, not '\(Configuration.shownName(setting))'")
            }
            var key = String(setting[..<equals])
            // `freshet train --set epochs=3` means train.epochs.
            if trainerKeys, !key.contains("."), ConfigurationKey.byName[key] == nil { key = "train." + key }
            flags.append((key, String(setting[setting.index(after: equals)...])))
        }
        if let logLevel { flags.append(("log.level", logLevel)) }
        do {
            let configuration = try Configuration.load(
                files: config, environment: ProcessInfo.processInfo.environment, flags: flags)
            StandardError.setFormat(configuration.text(.logFormat))
            HiddenSecrets.add(configuration.redaction)
            let logger = configuration.logger("configuration")
            for warning in configuration.warnings { logger.warning("\(warning)") }
            return configuration
        } catch {
            throw ValidationError(error.description)
        }
    }
}

extension GlobalOptions {
    /// How to read the same settings again later, as the files then are.
    func again(port: Int? = nil) -> ConfigurationAgain {
        var flags = settings.compactMap { setting -> (key: String, value: String)? in
            let halves = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return halves.count == 2 ? (String(halves[0]), String(halves[1])) : nil
        }
        if let logLevel { flags.append(("log.level", logLevel)) }
        if let port { flags.append(("http.port", String(port))) }
        return ConfigurationAgain(files: config, environment: ProcessInfo.processInfo.environment, flags: flags)
    }
}

/// Where a batch command stands in time.
struct AsOfOption: ParsableArguments {
    @Option(
        name: .customLong("as-of"),
        help: ArgumentHelp("The time that counts as now: RFC 3339, or milliseconds since 1970.", valueName: "time"))
    var asOf: String?

    func time() throws -> EventTime? {
        let time = try Self.time(asOf, of: "--as-of")
        // What is known of a time to come is what is known now: its model would be judged, and promoted, as one of that time.
        if let time, time.milliseconds > EventTime.now.milliseconds + Self.aheadMilliseconds {
            throw ValidationError("--as-of is \(time.rfc3339()), which is yet to come")
        }
        return time
    }

    private static let aheadMilliseconds: Int64 = 86_400_000

    /// The time that an option names.
    static func time(_ text: String?, of option: String) throws -> EventTime? {
        guard let text else { return nil }
        if let milliseconds = Int64(text) {
            // Seconds as milliseconds lie in the first three years after 1970, microseconds behind the year 5000.
            if (100_000_000..<100_000_000_000).contains(milliseconds) || milliseconds > 99_999_999_999_999 {
                let unit = milliseconds < 100_000_000_000 ? "seconds" : "microseconds or nanoseconds"
                throw ValidationError("\(option) is \(text), which looks like \(unit); a number is milliseconds since 1970")
            }
            return EventTime(milliseconds: milliseconds)
        }
        guard let time = EventTime(rfc3339: text) else {
            throw ValidationError("\(option) is \(text), but takes a time such as 2026-11-21T08:00:00Z")
        }
        return time
    }
}

extension Configuration {
    /// A logger for a role, as `log.level` and `log.format` say.
    func logger(_ role: String) -> Logger {
        let format = LineLogHandler.Format(rawValue: text(.logFormat)) ?? .text
        let level = Logger.Level(rawValue: text(.logLevel)) ?? .info
        return Logger(label: role) { LineLogHandler(label: $0, format: format, logLevel: level) }
    }
}

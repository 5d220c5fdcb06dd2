import ArgumentParser
import Console
import Foundation
import Interactions
import Logging
import Settings

/// The error that a command ends with.
struct FinalError {
    private let error: any Error
    private let arguments: [String]

    /// - Parameter arguments: the command line, which may name the form of lines although the configuration could not be read.
    init(_ error: any Error, arguments: [String]) {
        self.error = FileProblem(error).map { CommandFailure($0.description) } ?? error
        self.arguments = arguments
    }

    /// Ends the process. Help and versions stay text; the status is the same in either form.
    func exit() -> Never {
        let status = Freshet.exitCode(for: error), message = Freshet.message(for: error)
        if StandardError.format == nil { StandardError.setFormat(formatInArguments ?? "text") }
        guard status != .success, !message.isEmpty else { Freshet.exit(withError: error) }
        guard StandardError.format == .json else {
            // As the library would, but without secrets.
            StandardError.put(Freshet.fullMessage(for: error) + "\n")
            Foundation.exit(status.rawValue)
        }
        StandardError.put(
            LineLogHandler.line(
                level: .error, label: role, message: message, fields: [("exit_status", "\(status.rawValue)")], format: .json))
        Foundation.exit(status.rawValue)
    }

    /// The first word that is a command.
    private var role: String {
        let commands = Set(Freshet.configuration.subcommands.compactMap { $0.configuration.commandName })
        return arguments.first { commands.contains($0) } ?? "freshet"
    }

    /// What `log.format` is, as far as that can be known where other settings are wrong.
    private var formatInArguments: String? {
        let (files, flags) = Self.named(in: arguments)
        return Configuration.glimpse(.logFormat, files: files, environment: ProcessInfo.processInfo.environment, flags: flags)
    }

    /// Files and settings that a command line names, as far as that can be said without parsing it.
    static func named(in arguments: [String]) -> (files: [String], flags: [(key: String, value: String)]) {
        var files: [String] = [], settings: [String] = []
        for (place, argument) in arguments.enumerated() {
            for (name, add) in [("--config", { files.append($0) }), ("--set", { settings.append($0) })] as [(String, (String) -> Void)] {
                if argument == name, place + 1 < arguments.count { add(arguments[place + 1]) }
                if argument.hasPrefix(name + "=") { add(String(argument.dropFirst(name.count + 1))) }
            }
        }
        let flags = settings.compactMap { text in
            text.firstIndex(of: "=").map { (key: String(text[..<$0]), value: String(text[text.index(after: $0)...])) }
        }
        return (files, flags)
    }
}

import ArgumentParser
import Foundation

/// Options that take one value and were given several: the parser keeps the last, and what the others said would be lost without a word.
enum RepeatedOption {
    /// Refuses the first such option. The arguments have been parsed, so what begins with a dash before `--` is an option.
    static func refuse(in arguments: [String], of command: any ParsableCommand.Type) throws {
        let single = singleOptions(of: command)
        var seen = Set<String>()
        for argument in arguments.prefix(while: { $0 != "--" }) {
            let name = String(argument.prefix { $0 != "=" })
            guard single.contains(name), !seen.insert(name).inserted else { continue }
            throw ValidationError("\(name) was given more than once, and it takes one value: leave the others out")
        }
    }

    /// The options of a command that take one value, as they are written.
    private static func singleOptions(of command: any ParsableCommand.Type) -> Set<String> {
        guard let dump = try? JSONDecoder().decode(Dump.self, from: Data(command._dumpHelp().utf8)) else { return [] }
        var names = Set<String>()
        for argument in dump.command.arguments ?? [] where argument.kind == "option" && !argument.isRepeating {
            for name in argument.names ?? [] { names.insert((name.kind == "long" ? "--" : "-") + name.name) }
        }
        return names
    }

    /// The part of the parser's own description of a command that is read here.
    private struct Dump: Decodable {
        struct Command: Decodable { var arguments: [Argument]? }
        struct Argument: Decodable {
            var kind: String
            var isRepeating: Bool
            var names: [Name]?
        }
        struct Name: Decodable {
            var kind: String
            var name: String
        }
        var command: Command
    }
}

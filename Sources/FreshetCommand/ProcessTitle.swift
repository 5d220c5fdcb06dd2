import Foundation
import Settings

/// What `ps` shows of this process.
enum ProcessTitle {
    /// Overwrites the values of secret settings on the command line, which every user of the machine may read otherwise.
    ///
    /// The program has its own copy of the arguments. Where the system does not say where they lie, they stay.
    static func hideSecrets(in arguments: [String]) {
        guard arguments.contains(where: { secret(in: $0) != nil || isKey($0) }), let place else { return }
        var at = place.lowerBound
        var isNextSecret = false
        for argument in arguments {
            let bytes = Array(argument.utf8)
            guard at + UInt(bytes.count) < place.upperBound, let start = UnsafeMutablePointer<UInt8>(bitPattern: at),
                UnsafeBufferPointer(start: start, count: bytes.count).elementsEqual(bytes)
            else { return }
            if let hidden = isNextSecret ? bytes.count : secret(in: argument) {
                for index in (bytes.count - hidden)..<bytes.count { start[index] = UInt8(ascii: "x") }
            }
            isNextSecret = isKey(argument)
            at += UInt(bytes.count) + 1
        }
    }

    /// `simulate shoppers --key KEY`.
    private static func isKey(_ argument: String) -> Bool { argument == "--key" }

    /// How many bytes at the end of an argument are a secret: `database.url=…`, `--set=database.url=…`.
    private static func secret(in argument: String) -> Int? {
        if argument.hasPrefix("--key=") { return argument.utf8.count - 6 }
        let setting = argument.hasPrefix("--set=") ? argument.dropFirst(6) : argument[...]
        guard let equals = setting.firstIndex(of: "="), Configuration.isSecret(String(setting[..<equals].trimmingSpaces))
        else { return nil }
        return setting[setting.index(after: equals)...].utf8.count
    }

    /// Where the arguments lie in this process, by `/proc/self/stat`.
    private static var place: Range<UInt>? {
        guard let text = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8), let name = text.lastIndex(of: ")")
        else { return nil }
        // From the third field on; the arguments' start and end are the 48th and the 49th.
        let fields = text[text.index(after: name)...].split(separator: " ")
        guard fields.count > 46, let start = UInt(fields[45]), let end = UInt(fields[46].trimmingCharacters(in: .whitespacesAndNewlines)),
            start > 0, end > start
        else { return nil }
        return start..<end
    }
}

import Foundation

/// What went wrong with a file, as a sentence: Foundation's own errors are made for programs.
public struct FileProblem: CustomStringConvertible, Sendable {
    /// The sentence.
    public let description: String

    /// - Parameters:
    ///   - error: an error of Foundation; nil for others, which are sentences already.
    ///   - advice: what to do about it, for the end of the sentence.
    public init?(_ error: any Error, advice: String? = nil) {
        let end = advice.map { "; \($0)" } ?? ""
        switch error {
        case is DecodingError, is EncodingError:
            description = "a file of the program cannot be understood: \(error)\(end)"
        case is CocoaError, is POSIXError:
            let error = error as NSError
            let path = error.userInfo[NSFilePathErrorKey] as? String ?? (error.userInfo[NSURLErrorKey] as? URL)?.path
            let verb = Self.isReading(error) ? "read" : "write"
            description = "cannot \(verb) \(path ?? "a file"): \(Self.reason(error))\(end)"
        case let error as NSError where type(of: error) == NSError.self && [NSCocoaErrorDomain, NSPOSIXErrorDomain].contains(error.domain):
            let path = error.userInfo[NSFilePathErrorKey] as? String ?? (error.userInfo[NSURLErrorKey] as? URL)?.path
            description = "cannot \(Self.isReading(error) ? "read" : "write") \(path ?? "a file"): \(Self.reason(error))\(end)"
        default:
            return nil
        }
    }

    /// The system's word for what went wrong.
    public static func reason(_ error: any Error) -> String {
        let error = error as NSError
        if let cause = error.userInfo[NSUnderlyingErrorKey] as? any Error { return reason(cause) }
        if error.domain == NSPOSIXErrorDomain { return String(cString: strerror(Int32(error.code))) }
        return error.localizedDescription
    }

    private static func isReading(_ error: NSError) -> Bool {
        error.domain == NSCocoaErrorDomain && (256..<512).contains(error.code)
    }

    /// Does something with files; where that fails, the sentence says so.
    public static func described<Result>(advice: String? = nil, _ work: () throws -> Result) throws -> Result {
        do {
            return try work()
        } catch {
            guard let problem = FileProblem(error, advice: advice) else { throw error }
            throw CommandFailure(problem.description)
        }
    }
}

import CBrokerPort

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension EmbeddedBroker {
    /// How many members of groups were given a new id in this process, since the mock cluster would not have survived them.
    public static var renamedMembers: Int { Int(freshet_renamed_members()) }

    /// From now on, where the mock cluster fails by an assertion or a fault of memory, this process begins its program again with
    /// other arguments: the same process, an empty cluster of a new identity. For a process that is nothing but a broker, since
    /// everything else in it is gone, too.
    ///
    /// - Parameter arguments: those of the new beginning, the program's name first.
    /// - Returns: false where the platform cannot do it: the process then ends.
    @discardableResult
    public static func beginAgainAfterFailure(arguments: [String]) -> Bool {
        // Read by a signal handler at any later time: never freed.
        let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: arguments.count + 1)
        for (index, argument) in arguments.enumerated() { list[index] = strdup(argument) }
        list[arguments.count] = nil
        return freshet_begin_again_after_failure(list) == 0
    }
}

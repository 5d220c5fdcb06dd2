/// Paths that stand for a descriptor that this process has open already, as shells write them.
enum DescriptorPath {
    /// The descriptor that `/dev/stdin`, `/dev/stdout`, `/dev/stderr`, `/dev/fd/N` or `/proc/self/fd/N` names; nil of other paths.
    static func number(of path: String) -> Int32? {
        switch path {
        case "/dev/stdin": return 0
        case "/dev/stdout": return 1
        case "/dev/stderr": return 2
        default:
            for folder in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(folder) {
                guard let number = Int32(path.dropFirst(folder.count)), number >= 0 else { return nil }
                return number
            }
            return nil
        }
    }
}

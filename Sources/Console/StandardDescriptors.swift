#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The three descriptors that a process is started with.
public enum StandardDescriptors {
    /// Takes care that none of them is closed, since the next file or connection would get its number and be written into: reading or
    /// writing one that was closed fails from now on. And whoever stops reading a pipe is an error of the writing, not the end by a signal.
    public static func secure() {
        signal(SIGPIPE, SIG_IGN)
        for number in 0..<3 as Range<Int32> where fcntl(number, F_GETFD) < 0 && errno == EBADF {
            // The wrong way round on purpose, so that it is an error as before. Numbers are given out from the lowest.
            _ = open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY)
        }
    }
}

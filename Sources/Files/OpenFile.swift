#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What is done with files that are open.
public enum OpenFile {
    /// Writes all bytes to an open descriptor, however slowly they are taken; the error's number, or 0.
    public static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
        var done = 0
        while done < bytes.count {
            let count = write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if count > 0 {
                done += count
            } else if count == 0 {
                return EIO
            } else if errno == EAGAIN {
                var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&state, 1, -1)
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }
}

import Foundation
import Testing
import TestSupport

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

extension EndToEnd {
    /// More connections than the process may have files open.
    @Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/prlimit"), "needs prlimit of util-linux"))
    struct ConnectionFloodTests {
        /// Opens a connection and keeps it; nil where the system or the service refuses.
        private func hold(_ port: UInt16) -> Int32? {
            #if canImport(Glibc)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            #else
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
            #endif
            guard descriptor >= 0 else { return nil }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let connected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard connected == 0 else {
                close(descriptor)
                return nil
            }
            return descriptor
        }

        @Test("a flood of idle connections at a small limit of open files leaves the service answering, and alive")
        func flood() throws {
            let bench = try Workbench()
            let program = bench.program(broker: nil, [:])
            try SmallShop.check(program.run("migrate"))
            // So few that the test's own process has enough, and that every connection beyond the limit would meet the end of descriptors.
            let service = try Service(role: program.started(by: ["/usr/bin/prlimit", "--nofile=160:160"]).start("serve"))
            var held: [Int32] = []
            defer { for descriptor in held { close(descriptor) } }
            for _ in 0..<400 {
                if let descriptor = hold(service.http.port) { held.append(descriptor) }
                if held.count > 200 { close(held.removeFirst()) }
            }
            #expect(try service.http.send("GET", "/healthz").status == 200)
            let metrics = try service.http.send("GET", "/metrics").body
            #expect(metrics.contains("freshet_http_connections_limit 96"), "\(metrics)")
            #expect(service.role.log.contains("the limit of 96 connections is reached"), "\(service.role.log)")
            #expect(service.role.isRunning)
            #expect(service.role.stop() == 0, "\(service.role.log)")
        }
    }
}

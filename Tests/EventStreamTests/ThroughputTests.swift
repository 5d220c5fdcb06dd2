import EventStream
import Foundation
import Testing

extension OverTheProtocol {
    /// Measures rather than tests; runs where `FRESHET_MEASURE` is set. The figures decide nothing.
    @Suite(.enabled(if: ProcessInfo.processInfo.environment["FRESHET_MEASURE"] != nil), .timeLimit(.minutes(15)))
    struct ThroughputTests {
        @Test(arguments: ["none", "lz4"]) func aMillionRecordsEachWay(_ compression: String) throws {
            let count = 1_000_000
            let broker = try EmbeddedBroker(port: 0, partitions: 64, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker, ["compression.type": compression]), mode: .throughput)
            var value = Array(repeating: UInt8(ascii: "x"), count: 200)
            let clock = ContinuousClock()
            let producing = try clock.measure {
                for n in 0..<count {
                    let number = Array("{\"event_id\":\"\(n)\",\"user_id\":\"\(n &* 7_919 % 100_003)\"".utf8)
                    value.replaceSubrange(0..<number.count, with: number)
                    try withUnsafeBytes(of: UInt32(n % 100_003)) { key in
                        try value.withUnsafeBytes { value in
                            try producer.produce(topic: "t", key: key, value: value, whenFull: .wait)
                        }
                    }
                }
                try producer.flush(timeoutMilliseconds: 60_000)
            }
            #expect(producer.counts == DeliveryCounts(delivered: Int64(count), failed: 0))
            let consumer = try reader(broker, "t")
            var got = 0
            var bytes = 0
            var polls = 0
            let consuming = try clock.measure {
                while got < count {
                    let batch = try consumer.poll(maxRecords: 20_000, timeoutMilliseconds: 100)
                    #expect(batch.gaps.isEmpty)
                    batch.forEach { record in bytes += record.value?.count ?? 0 }
                    got += batch.count
                    polls += 1
                }
            }
            #expect(bytes == count * 200)
            func perSecond(_ time: Duration) -> Int { Int(Double(count) / (time / .seconds(1))) }
            print(
                "MEASURED \(compression): produced \(perSecond(producing)) records/s, consumed \(perSecond(consuming)) records/s in "
                    + "\(polls) polls"
            )
        }

        /// A consumer that is slower than the network and lets the prefetch queue fill: librdkafka's backoff must not starve it.
        @Test(arguments: [50, 150]) func aSlowConsumerIsNotStarved(_ milliseconds: UInt32) throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 64, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker, ["compression.type": "none"]), mode: .throughput)
            let value = [UInt8](repeating: 1, count: 200)
            for n in 0..<1_000_000 {
                try producer.produce(topic: "t", key: nil, value: value, partition: Int32(n % 64), whenFull: .wait)
            }
            try producer.flush(timeoutMilliseconds: 60_000)
            let consumer = try reader(broker, "t")
            var got = 0
            var polls = 0
            let took = try ContinuousClock().measure {
                while got < 1_000_000 {
                    let batch = try consumer.poll(maxRecords: 20_000, timeoutMilliseconds: 100)
                    got += batch.count
                    polls += 1
                    usleep(UInt32(Double(milliseconds) * 1_000 * Double(batch.count) / 20_000))
                }
            }
            print("MEASURED \(milliseconds) ms for 20,000 records: \(took) for what sleeps \(50 * milliseconds) ms, \(polls) polls")
        }

        /// The time from the acknowledgement of a record to its return from poll, one record at a time.
        @Test func freshness() async throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 64, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker))
            let consumer = try reader(broker, "t")
            _ = try consumer.read("the ends") { $0.ends.count == 64 }
            var acknowledged: [Double] = []
            var arrived: [Double] = []
            for n in 0..<300 {
                let begin = ContinuousClock.now
                _ = try await producer.produceAcknowledged(topic: "t", key: "\(n)", value: "x")
                acknowledged.append((ContinuousClock.now - begin) / .milliseconds(1))
                let sent = ContinuousClock.now
                while try consumer.poll(maxRecords: 100, timeoutMilliseconds: 1_000).isEmpty {}
                arrived.append((ContinuousClock.now - sent) / .milliseconds(1))
            }
            func processor() -> Double {
                var usage = rusage()
                getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
                return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
                    + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
            }
            let before = processor()
            for _ in 0..<30 { _ = try consumer.poll(maxRecords: 100, timeoutMilliseconds: 100) }
            print("MEASURED idle: broker and consumer of 64 partitions use \((processor() - before) / 3 * 100) % of a processor")
            func percentiles(_ values: [Double]) -> String {
                let sorted = values.sorted()
                return "p50 \(sorted[150]) p99 \(sorted[297]) max \(sorted[299]) ms"
            }
            print("MEASURED acknowledged after \(percentiles(acknowledged)); then read after \(percentiles(arrived))")
        }
    }
}

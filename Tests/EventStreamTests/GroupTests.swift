import EventStream
import Foundation
import Testing

extension OverTheProtocol {
    /// Runs in turn: the embedded broker takes 3 s for a group's first members and up to the session timeout for later ones.
    @Suite(.timeLimit(.minutes(15)))
    struct GroupTests {
        private let quick = ["session.timeout.ms": "6000", "heartbeat.interval.ms": "300"]

        @Test func nothingIsReadBeforeTheStart() throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 4, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker))
            for n in 0..<100 { try producer.produce(topic: "t", key: "\(n)", value: "\(n)") }
            try producer.flush(timeoutMilliseconds: 10_000)
            let consumer = try StreamConsumer(settings(broker, quick), group: "g", topics: ["t"])
            var assigned: [TopicPartition]?
            let deadline = ContinuousClock.now + .seconds(20)
            while assigned == nil && ContinuousClock.now < deadline {
                assigned = try consumer.poll(maxRecords: 100, timeoutMilliseconds: 200).assigned
            }
            #expect(assigned == (0..<4).map { TopicPartition("t", $0) })
            for _ in 0..<5 { #expect(try consumer.poll(maxRecords: 100, timeoutMilliseconds: 100).isEmpty) }
            try consumer.start((assigned ?? []).map { PartitionStart($0, .beginning) })
            let seen = try consumer.read("everything") { $0.ends.count == 4 }
            #expect(seen.records.count == 100)
            let ends = try consumer.endOffsets("t")
            consumer.commitToBroker(ends.map { (TopicPartition("t", $0.partition), $0.high) })
        }

        /// A second member takes half of the partitions and then leaves; every record is processed once by whoever committed it.
        ///
        /// - Parameter yields: whether the topic's records let others go first.
        @Test(arguments: [false, true])
        func aRebalanceLosesAndRepeatsNothing(yields: Bool) throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 8, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker), mode: .throughput)
            // What a database would hold: the offset to go on from, written together with what was read.
            var next: [TopicPartition: Int64] = [:]
            var processed: [String: Int] = [:]
            var produced = 0
            var members: [(consumer: StreamConsumer, owned: Set<TopicPartition>)] = []

            func step(_ index: Int) throws {
                let batch = try members[index].consumer.poll(maxRecords: 37, timeoutMilliseconds: 20)
                for happening in batch.happenings {
                    switch happening {
                    case .assigned(let partitions):
                        members[index].owned = Set(partitions)
                        try members[index].consumer.start(partitions.map { PartitionStart($0, .offset(next[$0] ?? 0)) })
                    case .revoked: members[index].owned = []
                    case .gap(let gap): Issue.record("\(gap)")
                    default: break
                    }
                }
                batch.forEach { record in
                    let partition = TopicPartition(record.topic, record.partition)
                    #expect(members[index].owned.contains(partition))
                    #expect(next[partition] ?? 0 == record.offset)
                    next[partition] = record.offset + 1
                    processed[Copied(record).text, default: 0] += 1
                }
            }
            func run(_ what: String, until done: () -> Bool) throws {
                let deadline = ContinuousClock.now + .seconds(30)
                while !done() {
                    guard ContinuousClock.now < deadline else {
                        throw TimedOut(what: "\(what): \(members.map(\.owned.count)), \(processed.count) of \(produced)")
                    }
                    for _ in 0..<10 {
                        try producer.produce(topic: "t", key: "\(produced)", value: "\(produced)")
                        produced += 1
                    }
                    for index in members.indices { try step(index) }
                }
            }

            members.append((try StreamConsumer(settings(broker, quick), group: "g", topics: ["t"], yielding: yields ? ["t"] : []), []))
            try run("one member") { members[0].owned.count == 8 && processed.count > 200 }
            members.append((try StreamConsumer(settings(broker, quick), group: "g", topics: ["t"], yielding: yields ? ["t"] : []), []))
            try run("two members") { members[0].owned.count == 4 && members[1].owned.count == 4 }
            let together = processed.count
            try run("two members at work") { processed.count > together + 200 }
            members[0].consumer.close()
            members.removeFirst()
            try run("one member again") { members[0].owned.count == 8 }
            try producer.flush(timeoutMilliseconds: 10_000)
            let deadline = ContinuousClock.now + .seconds(20)
            while processed.count < produced && ContinuousClock.now < deadline { try step(0) }
            #expect(processed.count == produced)
            #expect(processed.values.allSatisfy { $0 == 1 })
        }

        @Test("partitions that are started anew, again and again, are read on, though their records let others go first")
        func startedAnew() throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 2, topics: ["first", "last"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker))
            for topic in ["first", "last"] {
                for n in 0..<200 { try producer.produce(topic: topic, key: "\(n)", value: "\(n)") }
            }
            try producer.flush(timeoutMilliseconds: 10_000)
            let consumer = try StreamConsumer(settings(broker, quick), group: "g", topics: ["first", "last"], yielding: ["last"])
            let partitions = ["first", "last"].flatMap { topic in (0..<2).map { TopicPartition(topic, $0) } }
            var isAssigned = false, ends: Set<TopicPartition> = [], rounds = 0
            let deadline = ContinuousClock.now + .seconds(90)
            while rounds < 12, ContinuousClock.now < deadline {
                let batch = try consumer.poll(maxRecords: 50, timeoutMilliseconds: 50)
                for happening in batch.happenings {
                    switch happening {
                    case .assigned:
                        isAssigned = true
                        try consumer.start(partitions.map { PartitionStart($0, .beginning) })
                    case .reachedEnd(let partition, _): ends.insert(partition)
                    default: break
                    }
                }
                guard isAssigned, ends.count == partitions.count else { continue }
                rounds += 1
                ends = []
                // All of them, or one of either.
                let anew = rounds.isMultiple(of: 2) ? partitions : [partitions[0], partitions[2]]
                if anew.count == 2 { ends = [partitions[1], partitions[3]] }
                if rounds.isMultiple(of: 3) { consumer.halt(anew) }
                try consumer.start(anew.map { PartitionStart($0, .beginning) })
            }
            #expect(rounds == 12, "\(ends) after \(rounds) rounds")
            consumer.close()
        }

        @Test func whoDoesNotPollLosesItsPartitionsAndGetsThemBack() throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 2, topics: ["t"])
            defer { broker.close() }
            let producer = try StreamProducer(settings(broker))
            var properties = quick
            properties["max.poll.interval.ms"] = "6000"
            let consumer = try StreamConsumer(settings(broker, properties), group: "g", topics: ["t"])
            try producer.produce(topic: "t", key: [1], value: Array("before".utf8), partition: 0)
            var seen = try consumer.read("the first") { $0.records.count == 1 && $0.ends.count == 2 }
            // Records that arrive while nobody polls are prefetched, and must not come back as another owner's.
            try producer.produce(topic: "t", key: [1], value: Array("after".utf8), partition: 0)
            usleep(7_500_000)
            seen = try consumer.read("the rest", from: { .offset($0.partition == 0 ? 1 : 0) }, into: seen) { $0.records.count == 2 }
            #expect(seen.records.map(\.text) == ["before", "after"])
            let kinds = seen.happenings.compactMap { happening -> String? in
                switch happening {
                case .assigned(let partitions): "assigned \(partitions.count)"
                case .revoked(let partitions, let lost): "revoked \(partitions.count)\(lost ? " lost" : "")"
                default: nil
                }
            }
            #expect(kinds == ["assigned 2", "revoked 2 lost", "assigned 2"])
        }

        @Test func aRestartedBrokerIsJoinedAgain() throws {
            let port = try freePort()
            let first = try EmbeddedBroker(port: port, partitions: 2, topics: ["t"])
            let consumer = try StreamConsumer(settings(first, quick), group: "g", topics: ["t"])
            let one = try consumer.read("the first life") { $0.ends.count == 2 }
            #expect(one.happenings.contains(.assigned([TopicPartition("t", 0), TopicPartition("t", 1)])))
            let identity = try consumer.clusterID()
            first.close()
            let second = try EmbeddedBroker(port: port, partitions: 2, topics: ["t"])
            defer { second.close() }
            let two = try consumer.read("the second life", seconds: 30) {
                $0.happenings.contains { if case .assigned = $0 { true } else { false } }
            }
            #expect(two.happenings.contains { if case .revoked = $0 { true } else { false } })
            #expect(try consumer.clusterID() != identity)
        }

        @Test func closingNeverHangs() throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 2, topics: ["t"])
            let clock = ContinuousClock()
            // Not yet a member; given partitions but never started; and after the broker has gone.
            let took = try clock.measure {
                try StreamConsumer(settings(broker, quick), group: "a", topics: ["t"]).close()
                let unanswered = try StreamConsumer(settings(broker, quick), group: "b", topics: ["t"])
                while try unanswered.poll(maxRecords: 10, timeoutMilliseconds: 200).assigned == nil {}
                unanswered.close()
                let orphan = try StreamConsumer(settings(broker, quick), group: "c", topics: ["t"])
                _ = try orphan.read("its partitions") { $0.ends.count == 2 }
                let producer = try StreamProducer(settings(broker))
                broker.close()
                try producer.produce(topic: "t", key: "k", value: "never sent")
                orphan.close()
                producer.close(timeoutMilliseconds: 200)
            }
            #expect(took < .seconds(45))
        }
    }
}

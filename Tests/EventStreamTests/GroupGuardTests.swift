import EventStream
import Foundation
import TestSupport
import Testing

extension OverTheProtocol {
    /// What librdkafka's mock cluster does not survive by itself: each of these ended the process.
    @Suite(.timeLimit(.minutes(15)))
    struct GroupGuardTests {
        /// As the mock cluster makes them.
        private let name = "0x7f0000000000"

        @Test func twoThatJoinUnderOneNameBecomeTwoMembers() throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 2, topics: ["t"])
            defer { broker.close() }
            let first = try RawMember(broker.bootstrapServers, group: "g"), second = try RawMember(broker.bootstrapServers, group: "g")
            let before = EmbeddedBroker.renamedMembers
            try first.join(as: name)
            usleep(200_000)
            try second.join(as: name)
            let one = try first.joined(), two = try second.joined()
            #expect(one.error == 0 && two.error == 0)
            #expect(one.member == name && two.member != name && two.member.utf8.count == name.utf8.count)
            #expect(EmbeddedBroker.renamedMembers == before + 1)
        }

        @Test func whoLostItsConnectionWhileJoiningJoinsAgain() throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 2, topics: ["t"])
            defer { broker.close() }
            var lost: RawMember? = try RawMember(broker.bootstrapServers, group: "g")
            try lost?.join(as: name)
            usleep(200_000)
            lost = nil
            let again = try RawMember(broker.bootstrapServers, group: "g")
            try again.join(as: name)
            let joined = try again.joined()
            #expect(joined.error == 0 && joined.generation > 0)
            // Others are served as before.
            #expect(try StreamConsumer(reading: settings(broker)).partitions("t") == [0, 1])
        }

        @Test func whoAsksTwiceForItsAssignmentIsToldToJoinAgain() throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 2, topics: ["t"])
            defer { broker.close() }
            let members = try (0..<2).map { _ in try RawMember(broker.bootstrapServers, group: "g") }
            for member in members { try member.join(as: "") }
            let joined = try members.map { try $0.joined() }
            // The leader asks for nothing yet, so that the other one waits.
            let follower = try #require(joined.firstIndex { $0.member != $0.leader })
            try members[follower].sync(as: joined[follower].member, generation: joined[follower].generation)
            usleep(200_000)
            let twin = try RawMember(broker.bootstrapServers, group: "g")
            try twin.sync(as: joined[follower].member, generation: joined[follower].generation)
            // Each of these makes a client join again: ILLEGAL_GENERATION, UNKNOWN_MEMBER_ID, REBALANCE_IN_PROGRESS.
            #expect([22, 25, 27].contains(try twin.synced()))
        }

        @Test func whoJoinsUnderItsNameAfterItsAnswerKeepsIt() throws {
            let broker = try EmbeddedBroker(port: 0, partitions: 2, topics: ["t"])
            defer { broker.close() }
            let member = try RawMember(broker.bootstrapServers, group: "g")
            try member.join(as: "")
            let first = try member.joined()
            try member.join(as: first.member)
            #expect(try member.joined().member == first.member)
            let elsewhere = try RawMember(broker.bootstrapServers, group: "g")
            try elsewhere.join(as: first.member)
            #expect(try elsewhere.joined().member == first.member)
        }
    }
}

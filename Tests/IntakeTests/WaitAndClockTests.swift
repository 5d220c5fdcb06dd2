import Intake
import Interactions
import Testing

/// A consumer without partitions, and clocks that disagree: values, without a broker or a database.
struct WaitAndClockTests {
    private let start = ContinuousClock.now
    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }
    private func time(_ seconds: Int64) -> EventTime { EventTime(milliseconds: 1_795_248_000_000 + seconds * 1_000) }

    @Test("a group that does not answer is joined again; one that has nothing to give is not")
    func groupWait() {
        var wait = GroupWait(patienceSeconds: 30)
        #expect(wait.look(hasPartitions: false, at: at(0)) == .nothing)
        #expect(wait.look(hasPartitions: false, at: at(29)) == .nothing)
        #expect(wait.look(hasPartitions: false, at: at(30)) == .joinAgain(seconds: 30))

        var standby = GroupWait(patienceSeconds: 30)
        #expect(standby.look(hasPartitions: false, at: at(0)) == .nothing)
        standby.groupAnswered(at: at(5))
        #expect(standby.look(hasPartitions: false, at: at(34)) == .nothing)
        #expect(standby.look(hasPartitions: false, at: at(35)) == .standingBy(seconds: 30))
        #expect(standby.look(hasPartitions: false, at: at(500)) == .nothing)
        // The group begins to share anew and then says nothing.
        standby.groupTook(at: at(600))
        #expect(standby.look(hasPartitions: false, at: at(631)) == .joinAgain(seconds: 30))
    }

    @Test("nothing is expected of a group while no broker answers, nor of one that has given partitions")
    func groupWaitPauses() {
        var wait = GroupWait(patienceSeconds: 30)
        _ = wait.look(hasPartitions: false, at: at(0))
        wait.brokerWent()
        #expect(wait.look(hasPartitions: false, at: at(100)) == .nothing)
        wait.brokerCame(at: at(101))
        #expect(wait.look(hasPartitions: false, at: at(130)) == .nothing)
        #expect(wait.look(hasPartitions: false, at: at(131)) == .joinAgain(seconds: 30))
        var owner = GroupWait(patienceSeconds: 30)
        _ = owner.look(hasPartitions: true, at: at(0))
        #expect(owner.look(hasPartitions: true, at: at(1_000)) == .nothing)
        #expect(owner.look(hasPartitions: false, at: at(1_029)) == .nothing)
    }

    @Test("the database's clock counts, whatever the machine's says and however that steps")
    func database() {
        var clock = ReferenceClock()
        #expect(clock.now(local: time(7), at: at(0)) == time(7))
        clock.set(database: time(0), at: at(0))
        for local: Int64 in [-300, 0, 300, 86_400] { #expect(clock.now(local: time(local), at: at(10)) == time(10)) }
        #expect(clock.aheadMilliseconds(local: time(-290), at: at(10)) == -300_000)
    }

    @Test("a broker that dates records itself is the third witness: the middle one counts")
    func appended() {
        var clock = ReferenceClock()
        clock.set(database: time(0), at: at(0))
        // The database behind, machine and broker agree.
        #expect(clock.now(local: time(300), appended: time(299), at: at(0)) == time(299))
        // The machine behind, database and broker agree.
        #expect(clock.now(local: time(-300), appended: time(-1), at: at(0)) == time(-1))
        // The broker ahead of both, and a record of long ago.
        #expect(clock.now(local: time(5), appended: time(900), at: at(0)) == time(5))
        #expect(clock.now(local: time(5), appended: time(-9_000), at: at(0)) == time(0))
    }

    @Test("a difference is told once, and again when it has grown or gone")
    func told() {
        var clock = ReferenceClock()
        #expect(clock.disagreement(local: time(500), at: at(0)) == nil)
        clock.set(database: time(0), at: at(0))
        #expect(clock.disagreement(local: time(4), at: at(0)) == nil)
        let sentence = clock.disagreement(local: time(-300), at: at(0))
        #expect(sentence?.contains("300 s behind PostgreSQL's") == true)
        #expect(clock.disagreement(local: time(-299), at: at(0)) == nil)
        #expect(clock.disagreement(local: time(120), at: at(0))?.contains("120 s ahead of") == true)
        #expect(clock.disagreement(local: time(0), at: at(0)) == nil)
        #expect(clock.disagreement(local: time(120), at: at(0)) != nil)
    }
}

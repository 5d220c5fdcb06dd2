import FeatureStore
import TestSupport
import Testing

@Suite("What a server looks at every few seconds")
struct WatchedFiguresTests {
    @Test("one statement says what three said, with and without anything to say")
    func oneStatementSaysWhatThreeSaid() throws {
        let database = try TestDatabase()
        let queries = StoreQueries(url: database.url)
        #expect(try queries.watchedFigures() == WatchedFigures(offsets: [], openErasures: 0, refusals: ModelRefusals()))
        _ = try database.sql(
            """
            insert into stream_offsets (topic, partition, cluster, epoch, next_offset, halted)
            values ('b', 1, 'c', 7, null, null), ('b', 0, 'c', 3, 42, 'stands still'), ('a', 0, 'c', 1, 5, null)
            """)
        _ = try database.sql(
            """
            insert into open_erasures (user_id, erased_at, stored_before, last_letter, refolds)
            select 'u' || n, now(), pg_current_snapshot(), 0, false from generate_series(1, 2) n
            """)
        for _ in 0..<2 {
            let version = try queries.registerModel(
                artifactPath: "a", artifactChecksum: "c", configuration: "{}", metrics: "{}", watermark: "{}")
            try queries.refuseModel(version, reason: "\(version) % worse.")
        }
        let figures = try queries.watchedFigures()
        #expect(figures.offsets == (try queries.offsets()))
        #expect(figures.offsets.map(\.nextOffset) == [5, 42, nil])
        #expect(try figures.openErasures == queries.openErasures() && figures.openErasures == 2)
        #expect(try figures.refusals == queries.modelRefusals() && figures.refusals.inARow == 2)
        #expect(figures.refusals.newest?.reason == "2 % worse.")
    }
}

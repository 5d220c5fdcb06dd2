import Bytes
import Interactions

/// What the HTTP service counted of its own recommendations.
struct ServingStatistics: Sendable {
    var requests: Int64 = 0
    var perSecond: Double = 0
    var medianMilliseconds: Double?
    var p99Milliseconds: Double?
    var coldShare: Double?
    var reasons: [String: Int64] = [:]
    var series: [RatePoint] = []
}

extension ServiceStatistics {
    /// The wire form of `/v1/stats`.
    func json(serving: ServingStatistics, parts: [PartStatus]) -> [UInt8] {
        var writer = JSONWriter(reservingBytes: 32 << 10)
        writer.object { writer in
            writer.field("time", time)
            writer.key("counted_at")
            if let countedAt { writer.time(countedAt) } else { writer.null() }
            writer.key("parts")
            writer.array { writer in
                for part in parts { part.write(to: &writer) }
            }
            writer.key("events")
            writer.object { writer in
                writer.key("total")
                writer.integer(eventsTotal)
                writer.field("by_type", counts: eventsByType)
                writer.key("per_second")
                writer.number(eventsPerSecond)
                writer.key("series")
                writer.series(eventSeries)
            }
            writer.key("serving")
            serving.write(to: &writer)
            writeIngest(to: &writer)
            writeCatalogue(to: &writer)
            writer.key("users")
            writer.integer(users)
            writer.key("recent_users")
            writer.strings(recentUserIDs)
            writer.key("model")
            if let model { model.write(to: &writer) } else { writer.null() }
            writer.field("snapshot_age_seconds", nullable: snapshotAgeSeconds)
            writer.key("training")
            if let training { training.write(to: &writer) } else { writer.null() }
            writer.key("refusals")
            if let refusals { refusals.write(to: &writer) } else { writer.null() }
            writer.key("activity")
            writer.array { writer in
                for entry in activity {
                    writer.object { writer in
                        writer.field("time", entry.time)
                        writer.field("kind", entry.kind)
                        writer.field("text", entry.text)
                    }
                }
            }
        }
        return writer.bytes
    }

    private func writeIngest(to writer: inout JSONWriter) {
        writer.key("ingest")
        writer.object { writer in
            writer.key("lag")
            if let lagRecords { writer.integer(lagRecords) } else { writer.null() }
            writer.key("committed_offset_total")
            writer.integer(committedOffsetTotal)
            writer.field("dead_letters", counts: deadLettersByCode)
            writer.key("erasures_open")
            writer.integer(openErasures)
        }
    }

    private func writeCatalogue(to writer: inout JSONWriter) {
        writer.key("catalogue")
        writer.object { writer in
            writer.key("items")
            writer.integer(items)
            writer.key("hidden")
            writer.integer(hiddenItems)
            writer.key("fresh")
            writer.integer(freshItems)
            writer.key("exploration")
            exploration.write(to: &writer)
            writer.key("newest")
            writer.array { writer in
                for item in newestItems { item.write(to: &writer) }
            }
        }
    }
}

extension ExplorationStatistics {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("every_slots")
            writer.integer(everySlots)
            writer.key("items")
            writer.integer(items)
            writer.key("slots")
            writer.integer(slots)
            writer.key("impressions")
            writer.integer(impressions)
            writer.key("clicks")
            writer.integer(clicks)
        }
    }
}

extension ServingStatistics {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("requests")
            writer.integer(requests)
            writer.key("per_second")
            writer.number(perSecond)
            writer.field("p50_ms", nullable: medianMilliseconds)
            writer.field("p99_ms", nullable: p99Milliseconds)
            writer.field("cold_share", nullable: coldShare)
            writer.field("reasons", counts: reasons)
            writer.key("series")
            writer.series(series)
        }
    }
}

extension TrainingView {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("phase", phase)
            writer.key("epoch")
            writer.integer(epoch)
            writer.key("epochs")
            writer.integer(epochs)
            writer.key("fraction")
            writer.number(fraction)
            writer.field("loss", nullable: loss)
            writer.field("examples_per_second", nullable: examplesPerSecond)
            writer.field("started_at", startedAt)
        }
    }
}

extension RefusalStatistics {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.key("total")
            writer.integer(total)
            writer.key("in_a_row")
            writer.integer(inARow)
            if let version {
                writer.key("version")
                writer.integer(version)
            }
            writer.field("at", at)
            writer.field("reason", reason)
        }
    }
}

extension JSONWriter {
    fileprivate mutating func series(_ points: [RatePoint]) {
        array { writer in
            for point in points {
                writer.array { writer in
                    writer.integer(point.second)
                    writer.integer(point.count)
                }
            }
        }
    }
}

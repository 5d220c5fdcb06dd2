import FeatureStore
import Interactions

extension RecordIntake {
    /// Takes a record of a mapped topic: what it becomes is gathered, and where something of it is refused, the record as it came is a dead
    /// letter, so that it goes through the mapping again when it is sent again. What of it was good counts once all the same, since the ids
    /// of lines are those of their record.
    ///
    /// - Parameter shape: what the mapping reads, where the record as it came is written in something else.
    /// - Returns: Whether nothing of it was refused.
    mutating func addMapped(
        by mapper: RecordMapper, _ kind: RecordKind, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer,
        shape: UnsafeRawBufferPointer? = nil, origin: RecordOrigin, now: EventTime
    ) -> Bool {
        let shape = shape ?? value
        var first: (rejection: Rejection, line: Int?)?
        var refused = 0, all = 0
        func note(_ rejection: Rejection, _ line: Int?) {
            refused += 1
            if first == nil { first = (mapper.explained(rejection), line) }
        }
        do throws(Rejection) {
            try mapper.map(shape) { line, outcome in
                all += 1
                switch outcome {
                case .leftOut: leaveOut(LeftOut.condition)
                case .refused(let rejection): note(rejection, line)
                case .record(let own):
                    do throws(Rejection) {
                        try take(kind, own, origin: origin, now: now)
                    } catch {
                        note(error, line)
                    }
                }
            }
        } catch {
            note(error, nil)
        }
        guard let first else {
            bytes += value.count
            return true
        }
        var rejection = first.rejection
        if let line = first.line {
            let others = refused == all ? "" : all - refused == 1 ? "; 1 other line is taken" : "; \(all - refused) other lines are taken"
            let count = refused == 1 ? "" : " (the first of \(refused) lines that are refused)"
            rejection.detail = "line \(line)\(count): \(rejection.detail)\(others)"
        }
        var origin = origin
        // An erasure goes by the older of a record's times.
        origin.recordTime = [mapper.time(in: shape), origin.recordTime].compactMap(\.self).min()
        reject(rejection, key: key, value: value, origin: origin, named: named(by: mapper, shape))
        return false
    }

    /// Whom and what a refused record of a mapped topic names.
    func named(by mapper: RecordMapper, _ bytes: UnsafeRawBufferPointer) -> (key: [UInt8]?, user: [UInt8]?) {
        let user = mapper.user(in: bytes).map { spelled($0, .user) }
        return (user, user)
    }
}

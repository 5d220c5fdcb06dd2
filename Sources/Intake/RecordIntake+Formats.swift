import FeatureStore
import Interactions

extension RecordIntake {
    /// The number of a schema without which a record cannot be read yet, with what is known of it; nil where nothing is to be waited for.
    func awaitedSchema(
        _ topic: String, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?
    ) -> (number: Int32, why: String?)? {
        guard !readers.isEmpty, let reader = readers[topic] else { return nil }
        // Of keys only those of deletions are read.
        return reader.awaited(value) ?? (value == nil || reader.format == .debezium ? reader.awaited(key) : nil)
    }

    /// Waits a moment for the schemas that a record names, for who reads one record after the other.
    public func waitForSchemas(
        _ topic: String, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?, of schemas: SchemaRegistry?
    ) {
        guard let schemas else { return }
        while let awaited = awaitedSchema(topic, key: key, value: value) {
            if case .awaited = schemas.wait(for: awaited.number, atMost: IngestTrial.schemaPatience) { return }
        }
    }

    /// Takes a record of a topic that is written in something else than plain JSON.
    ///
    /// - Returns: Whether nothing of it was refused.
    mutating func addFormatted(
        by reader: FormatReader, _ mapper: RecordMapper, _ kind: RecordKind, key: UnsafeRawBufferPointer?,
        value: UnsafeRawBufferPointer?, origin: RecordOrigin, now: EventTime
    ) -> Bool {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        var row: [UInt8]?, origin = origin
        do throws(Rejection) {
            guard let value else { return try addKeyDeletion(by: reader, mapper, kind, key: key, origin: origin, now: now) }
            switch try reader.change(value) {
            case .row(let row, let time):
                origin = dated(origin, kind, by: time)
                return row.withUnsafeBytes { row in
                    addMapped(by: mapper, kind, key: key, value: value, shape: row, origin: origin, now: now)
                }
            case .message: leaveOut(LeftOut.message)
            case .deletion(let gone, let time):
                // What people did stays done when a shop clears its tables.
                guard kind == .items || kind == .users else {
                    leaveOut(LeftOut.event)
                    break
                }
                row = gone
                origin = dated(origin, kind, by: time)
                for id in try deletedIDs(gone, key, by: reader, mapper, kind) { addDeletion(of: id, kind, origin: origin, now: now) }
                deletedKeys[place(of: origin)] = key.map(Array.init)
            }
            bytes += value.count
            return true
        } catch {
            let ofKey = value == nil ? self.named(kind, key ?? nothing) : (nil, nil)
            let named = row?.withUnsafeBytes { self.named(by: mapper, $0) } ?? ofKey
            reject(error, key: key, value: value ?? nothing, origin: origin, named: named)
            return false
        }
    }

    /// The ids of what a deletion is about: those of the row that is gone, else those of its key.
    private func deletedIDs(
        _ row: [UInt8]?, _ key: UnsafeRawBufferPointer?, by reader: FormatReader, _ mapper: RecordMapper, _ kind: RecordKind
    ) throws(Rejection) -> [String] {
        var problem = Rejection(
            .missingField, field: kind == .users ? "user_id" : "item_id",
            "is not known of a row that is gone: the record has neither the row as it was (before) nor a key")
        do throws(Rejection) {
            if let row {
                return try row.withUnsafeBufferPointer { (row) throws(Rejection) in try mapper.ids(in: UnsafeRawBufferPointer(row)) }
            }
        } catch {
            problem = error
        }
        guard let key, !key.isEmpty else { throw problem }
        do throws(Rejection) {
            return try ids(ofKey: key, by: reader, mapper, kind)
        } catch {
            guard row != nil else { throw error }
            problem.detail += "; the row is gone, and its key does not say it either: let the table send whole rows "
                + "(ALTER TABLE … REPLICA IDENTITY FULL), or map the id to the key's column"
            throw problem
        }
    }

    /// The ids that a key names: by the paths of the mapping where it is an object, else the one that it is.
    private func ids(
        ofKey key: UnsafeRawBufferPointer, by reader: FormatReader, _ mapper: RecordMapper, _ kind: RecordKind
    ) throws(Rejection) -> [String] {
        let json = try reader.key(key)
        func read(_ key: UnsafeRawBufferPointer) throws(Rejection) -> [String] {
            guard key.first == UInt8(ascii: "{") else { return [try plainID(ofKey: key, kind, by: mapper)] }
            do throws(Rejection) {
                return try mapper.ids(in: key)
            } catch {
                // Freshet's own form of keys, `{"item_id":"i9"}`.
                do throws(Rejection) { return [try plainID(ofKey: key, kind, by: mapper)] } catch _ { throw error }
            }
        }
        guard let json else { return try read(key) }
        return try json.withUnsafeBufferPointer { (key) throws(Rejection) in try read(UnsafeRawBufferPointer(key)) }
    }

    /// Takes a record without a value. Debezium sends one behind every deletion, for the topic's compaction: that says nothing new.
    private mutating func addKeyDeletion(
        by reader: FormatReader, _ mapper: RecordMapper, _ kind: RecordKind, key: UnsafeRawBufferPointer?, origin: RecordOrigin,
        now: EventTime
    ) throws(Rejection) -> Bool {
        let last = deletedKeys.removeValue(forKey: place(of: origin))
        let isRepeated = key.map { key in last.map { key.elementsEqual($0) } ?? false } ?? false
        guard kind == .items || kind == .users, !isRepeated else {
            return leaveOut(isRepeated ? LeftOut.repeated : LeftOut.event)
        }
        guard let key, !key.isEmpty else {
            throw Rejection(.missingField, field: "key", "a record without a value deletes what its key names, but it has no key")
        }
        let isPart = try reader.key(key).map { $0.withUnsafeBytes { isOfPart($0, kind) } } ?? isOfPart(key, kind)
        if isPart { return leaveOut(LeftOut.part) }
        for id in try ids(ofKey: key, by: reader, mapper, kind) { addDeletion(of: id, kind, origin: origin, now: now) }
        return true
    }

    private func place(of origin: RecordOrigin) -> String { "\(origin.source)/\(origin.position.partition)" }

    /// The origin with the time of the change in its database, by which the newer of two changes of a row wins.
    private func dated(_ origin: RecordOrigin, _ kind: RecordKind, by time: EventTime?) -> RecordOrigin {
        guard kind == .items || kind == .users, let time else { return origin }
        var origin = origin
        (origin.recordTime, origin.isTimeOfChange) = (time, true)
        return origin
    }
}

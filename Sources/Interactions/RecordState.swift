/// What is known of a record from whole records, patches and deletions of it, each field by the newest that states it.
///
/// A whole record states every field, those that it leaves out as empty; a patch states those that it names. So the state is a function of
/// the set of what was sent, whatever the order and however often, as long as no two times are equal. Of equal times a patch is newer than
/// a whole record and a deletion newer than a patch; of two patches, or of two whole records or deletions, the one that came later.
///
/// A side that was read from the database has the times of its fields, and values only where a merge needs them: see ``needsAttributes``.
public struct RecordState<Record: PatchableRecord>: Sendable, Equatable {
    /// The newest whole record or deletion.
    public enum Base: Sendable, Equatable {
        case none
        case record(EventTime)
        case deleted(EventTime)

        /// Its time; nil where there is none.
        public var time: EventTime? {
            switch self {
            case .none: nil
            case .record(let time), .deleted(let time): time
            }
        }

        /// Whether a field that a patch stated at a time is newer.
        func leaves(_ time: EventTime) -> Bool {
            switch self {
            case .none: true
            case .record(let base): time >= base
            case .deleted(let base): time > base
            }
        }
    }

    /// A time further ahead of now than this is not believed: a clock ahead wins over nobody for longer.
    public static var believedAheadMilliseconds: Int64 { 300_000 }

    /// Attributes that patches make larger than this, as JSON, are not taken.
    public static var attributesLimitBytes: Int { 16 << 10 }
    /// Members of the attributes whose times are kept, removed ones too; patches that name more are not taken.
    public static var membersLimit: Int { 1_000 }

    /// The newest whole record or deletion.
    public internal(set) var base: Base = .none
    /// The fields as they are.
    public internal(set) var values: Record
    /// The fields that patches stated after the base, with their times.
    public internal(set) var times = FieldTimes()
    /// Whether attributes that a patch stated were not taken, since there would be too many.
    public private(set) var overflows = false

    /// Nothing is known.
    public init(id: String) { values = Record(id: id) }

    /// What the database holds.
    ///
    /// - Parameter values: the fields; those that are not read may be missing, if only `fields` of what ``merge(_:now:)`` says is used.
    public init(stored values: Record, base: Base, times: FieldTimes) {
        (self.values, self.base, self.times) = (values, base, times)
        // What it filled was stated by nobody.
        if times.isFilled, let place = Record.filledField.flatMap({ Record.patchPlaces[$0] }) {
            Record.patchFields[place].take(&self.values, Record(id: values.id))
        }
    }

    /// Whose state it is.
    public var id: String { values.id }

    /// Whether a merge with this as the later side needs the attributes of the other one.
    public var needsAttributes: Bool { base != .none || touchesAttributes }

    /// Whether patches that are newer than the base state attributes.
    public var touchesAttributes: Bool { times.cleared != nil || !times.members.isEmpty }

    /// Whether there are fields without a record to belong to.
    public var isWaiting: Bool {
        if case .record = base { return false }
        return !times.isEmpty
    }

    // MARK: What comes in

    /// Takes in a whole record.
    public mutating func take(_ record: Record, at time: EventTime, now: EventTime) {
        var later = RecordState(id: id)
        (later.values, later.base) = (record, .record(time))
        merge(later, now: now)
    }

    /// Takes in a patch.
    public mutating func take(_ patch: RecordPatch<Record>, at time: EventTime, now: EventTime) {
        var later = RecordState(id: id)
        later.values = patch.values
        later.times = FieldTimes(of: patch, at: time)
        var attributes: [String: String] = [:]
        for (name, member) in patch.members { if case .value(let value) = member { attributes[name] = value } }
        later.values.attributes = JSONText.object(ofRaw: attributes)
        merge(later, now: now)
    }

    /// Takes in a deletion, which is not after now.
    public mutating func delete(at time: EventTime, now: EventTime) {
        var later = RecordState(id: id)
        later.base = .deleted(time)
        merge(later, now: now)
    }

    /// Puts other values in the place of those that are there; their times stay.
    public mutating func correct(_ change: (inout Record) -> Void) { change(&values) }

    // MARK: Merging

    /// Whether attributes were not taken since the last call; it is forgotten then. What came with them is one patch where each is merged
    /// by itself.
    public mutating func takeOverflow() -> Bool {
        defer { overflows = false }
        return overflows
    }

    /// Takes in what is known from elsewhere and came later.
    ///
    /// - Returns: the fields whose values are not what they were.
    @discardableResult
    public mutating func merge(_ later: RecordState, now: EventTime) -> PatchedFields {
        doubt(now)
        let replaces = Self.replaces(base, later.base, now: now)
        if replaces { base = later.base }
        // What a clock ahead dated after now goes with a deletion that came after it.
        var buries = false
        if replaces, case .deleted = base { buries = true }
        let base = base, isBuried = buries
        func own(_ time: EventTime?) -> EventTime? { time.flatMap { base.leaves($0) && !(isBuried && $0 > now) ? $0 : nil } }
        func new(_ time: EventTime?) -> EventTime? { time.flatMap { base.leaves($0) ? $0 : nil } }

        var taken: PatchedFields = []
        if !(times.fields.isEmpty && later.times.fields.isEmpty && !replaces) {
            for (place, field) in Record.patchFields.enumerated() {
                let mine = own(times.fields[place]), other = new(later.times.fields[place])
                if let other, mine.map({ $0 <= other }) ?? true {
                    times.fields[place] = other
                } else if mine != nil {
                    continue
                } else {
                    times.fields[place] = nil
                    guard replaces else { continue }
                }
                field.take(&values, later.values)
                taken.insert(PatchedFields(place: place))
            }
        }
        if later.needsAttributes || replaces {
            if mergeAttributes(later, replaces, own: own, new: new) { taken.insert(.attributes(of: Record.self)) }
        }
        overflows = overflows || later.overflows
        return taken
    }

    /// - Returns: whether the attributes are not what they were.
    private mutating func mergeAttributes(
        _ later: RecordState, _ replaces: Bool, own: (EventTime?) -> EventTime?, new: (EventTime?) -> EventTime?
    ) -> Bool {
        let mine = values.attributes.map(JSONText.rawMembers(of:)) ?? [:]
        let other = later.values.attributes.map(JSONText.rawMembers(of:)) ?? [:]
        let cleared = [own(times.cleared), new(later.times.cleared)].compactMap(\.self).max()
        var result = cleared != nil ? [:] : replaces ? other : mine
        var members: [String: EventTime] = [:]
        func stays(_ time: EventTime) -> Bool { cleared.map { time >= $0 } ?? true }
        for (name, time) in times.members {
            guard let time = own(time), stays(time) else { continue }
            members[name] = time
            result[name] = mine[name]
        }
        for (name, time) in later.times.members {
            guard let time = new(time), stays(time), members[name].map({ $0 <= time }) ?? true else { continue }
            members[name] = time
            result[name] = other[name]
        }
        let text = JSONText.object(ofRaw: result)
        // Whole records have bounds of their own, and what is stored is not lost by one.
        let isWithin = later.times.members.isEmpty
            || members.count <= Self.membersLimit && text.map({ $0.utf8.count <= Self.attributesLimitBytes }) ?? true
        guard isWithin else {
            overflows = true
            values.attributes = replaces ? later.values.attributes : values.attributes
            times.cleared = replaces ? new(later.times.cleared) : own(times.cleared)
            times.members = replaces ? later.times.members.filter { new($0.value) != nil } : times.members.filter { own($0.value) != nil }
            return replaces
        }
        (times.cleared, times.members) = (cleared, members)
        guard result != mine else { return false }
        values.attributes = text
        return true
    }

    private static func replaces(_ base: Base, _ later: Base, now: EventTime) -> Bool {
        switch (base, later) {
        case (_, .none): false
        case (.none, _): true
        case (.record(let time), .deleted(let later)), (.deleted(let time), .deleted(let later)): time <= later || time > now
        case (.record(let time), .record(let later)), (.deleted(let time), .record(let later)): time <= later
        }
    }

    /// What is dated too far ahead counts as of the base, and a base that is as the oldest.
    private mutating func doubt(_ now: EventTime) {
        let (bound, overflow) = now.milliseconds.addingReportingOverflow(Self.believedAheadMilliseconds)
        guard !overflow else { return }
        let latest = EventTime(milliseconds: bound)
        switch base {
        case .record(let time) where time > latest: base = .record(.earliestWritable)
        case .deleted(let time) where time > latest: base = .deleted(.earliestWritable)
        default: break
        }
        times.forget(after: latest)
    }

    // MARK: What comes out

    /// Makes a bare record of fields that have none.
    public mutating func becomeBare() {
        guard isWaiting else { return }
        base = .record(base.time ?? .earliestWritable)
    }

    /// Takes out the fields that have no record, as patches: what stays is as if they had not come.
    public mutating func takeWaiting() -> [RecordPatch<Record>] {
        guard isWaiting else { return [] }
        let waiting = patches
        times = FieldTimes()
        values = Record(id: id)
        return waiting
    }

    /// The fields that patches stated, as patches, one a time.
    private var patches: [RecordPatch<Record>] {
        var found: [EventTime: RecordPatch<Record>] = [:]
        for time in Set(times.fields.values) {
            let fields = times.fields.filter { $0.value == time }.keys.reduce(into: PatchedFields()) { $0.insert(PatchedFields(place: $1)) }
            found[time] = RecordPatch(naming: fields, of: values, updatedAt: time)
        }
        func named(_ time: EventTime) -> RecordPatch<Record> { found[time] ?? RecordPatch(id: id, updatedAt: time) }
        let attributes = values.attributes.map(JSONText.rawMembers(of:)) ?? [:]
        for (name, time) in times.members {
            var patch = named(time)
            patch.name(name, attributes[name].map { .value($0) } ?? .removed)
            found[time] = patch
        }
        var result = found.sorted { $0.key < $1.key }.map(\.value)
        // One that clears and one that states members cannot be the same.
        if let cleared = times.cleared {
            var patch = RecordPatch<Record>(id: id, updatedAt: cleared)
            patch.removeAttributes()
            result.insert(patch, at: result.firstIndex { $0.updatedAt.map { $0 >= cleared } ?? false } ?? result.count)
        }
        return result
    }

    /// Gives the field that fills itself its value, once all is merged; see ``PatchableRecord/filledField``.
    ///
    /// - Returns: whether that field has to be written.
    public mutating func fill(with value: String) -> Bool {
        let was = times.isFilled
        times.isFilled = values.fill(with: value)
        return was || times.isFilled
    }
}

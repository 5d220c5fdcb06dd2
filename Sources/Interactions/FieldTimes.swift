import Bytes

/// When patches stated fields of a record, where that was after its newest whole record.
///
/// As JSON, which is how the database keeps it beside a record that was patched:
/// `{"price":1764547200000,"attributes/brand":1764547200001}`, in milliseconds since 1970; `attributes` is when all of them were removed,
/// and `"filled":null` says that the field which fills itself did. Records that were never patched have none.
public struct FieldTimes: Sendable, Equatable {
    /// Fields by their places in ``PatchableRecord/patchFields``.
    public internal(set) var fields: [Int: EventTime] = [:]
    /// Members of the attributes, removed ones too.
    public internal(set) var members: [String: EventTime] = [:]
    /// When all attributes were removed.
    public internal(set) var cleared: EventTime?
    /// Whether the field that fills itself has its value from that.
    public internal(set) var isFilled = false

    /// None.
    public init() {}

    init<Record>(of patch: RecordPatch<Record>, at time: EventTime) {
        for place in Record.patchFields.indices where patch.fields.contains(PatchedFields(place: place)) { fields[place] = time }
        members = patch.members.mapValues { _ in time }
        cleared = patch.clearsAttributes ? time : nil
    }

    /// Whether no field was patched.
    public var isEmpty: Bool { fields.isEmpty && members.isEmpty && cleared == nil }

    /// How many members of attributes have times.
    public var membersCount: Int { members.count }

    mutating func forget(after latest: EventTime) {
        if fields.values.contains(where: { $0 > latest }) { fields = fields.filter { $0.value <= latest } }
        if members.values.contains(where: { $0 > latest }) { members = members.filter { $0.value <= latest } }
        if let time = cleared, time > latest { cleared = nil }
    }

    private static let memberPrefix = "attributes/"
    private static let filledName = "filled"

    /// The times as JSON; nil where there are none.
    public func json<Record: PatchableRecord>(of record: Record.Type) -> String? {
        guard !isEmpty || isFilled else { return nil }
        return JSONWriter.object { object in
            for (place, time) in fields.sorted(by: { $0.key < $1.key }) where Record.patchFields.indices.contains(place) {
                object.key(data: Record.patchFields[place].name)
                object.integer(time.milliseconds)
            }
            if let cleared {
                object.key("attributes")
                object.integer(cleared.milliseconds)
            }
            for (name, time) in members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                object.key(data: Self.memberPrefix + name)
                object.integer(time.milliseconds)
            }
            if isFilled {
                object.key("filled")
                object.null()
            }
        }
    }

    /// Reads what ``json(of:)`` wrote. Fields that this program does not know are left out.
    public init<Record: PatchableRecord>(json: String?, of record: Record.Type) {
        guard let json else { return }
        for (name, value) in JSONText.rawMembers(of: json) {
            guard let milliseconds = Int64(value) else {
                if name == Self.filledName { isFilled = true }
                continue
            }
            let time = EventTime(milliseconds: milliseconds)
            if let place = Record.patchPlaces[name] {
                fields[place] = time
            } else if name.hasPrefix(Self.memberPrefix) {
                members[String(name.dropFirst(Self.memberPrefix.count))] = time
            } else if name == "attributes" {
                cleared = time
            }
        }
    }
}

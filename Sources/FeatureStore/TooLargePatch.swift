import Interactions

/// What becomes of a patch whose attributes are not taken, since there would be too many: its other fields count, and it is a dead letter.
enum TooLargePatch {
    /// The dead letter. It keeps the time by which the patch counts, so that sent again it does not win over what came after it.
    static func letter<Record: PatchableRecord>(_ patch: RecordPatch<Record>, at time: EventTime, origin: RecordOrigin) -> RejectedRecord {
        var patch = patch
        if time >= DecodingRules.defaultEarliestTime { patch.updatedAt = time }
        return WaitingPatches.letter(
            Array(patch.json().utf8), id: patch.id, origin: origin,
            Rejection(
                .tooLarge, field: "attributes",
                "with it the attributes would be larger than \(RecordState<Record>.attributesLimitBytes) bytes, or more than "
                    + "\(RecordState<Record>.membersLimit) of them patched one by one; its other fields count: send the whole record of "
                    + "this \(Record.idField)"))
    }
}

extension RecordDecoder {
    /// Decodes one record of `freshet.impressions`: an answer, and what it showed in which place.
    ///
    /// Each item becomes an impression whose event id is `request_id#slot`, so that a repeated delivery counts once. Its context
    /// holds the `reason`, and the `experiment` where there is one. One wrong item refuses the record. With `"personalised":false` it was
    /// shown to nobody in particular: the impressions are of no user, and whom the record may name besides is left out.
    public func slate(
        _ bytes: UnsafeRawBufferPointer, origin: RecordOrigin, now: EventTime
    ) -> Result<[Interaction], Rejection> {
        Result { () throws(Rejection) -> [Interaction] in
            var (scanner, reader) = try begin(bytes, maxBytes: rules.maxRecordBytes)
            var requestID = JSONToken()
            var userID = JSONToken()
            var idSpace = JSONToken()
            var sessionID = JSONToken()
            var timestamp = JSONToken()
            var modelVersion = JSONToken()
            var experiment = JSONToken()
            var items = JSONToken()
            var personalised = JSONToken()
            try members(&scanner, bytes) { name, token in
                switch name {
                case "request_id": requestID = token
                case "user_id": userID = token
                case "id_space": idSpace = token
                case "session_id": sessionID = token
                case "timestamp": timestamp = token
                case "model_version": modelVersion = token
                case "experiment": experiment = token
                case "items": items = token
                case "personalised": personalised = token
                default: break
                }
            }
            let isPersonalised = personalised.isPresent ? try reader.boolean(personalised, "personalised") : true
            let request = try reader.requiredID(requestID, "request_id")
            let session = isPersonalised ? try reader.id(sessionID, "session_id") : nil
            let user = isPersonalised ? try user(userID, in: idSpace, session, reader) : Interaction.nobody
            let time = try eventTime(timestamp, reader, now: now)
            let version = try reader.integer(modelVersion, "model_version", in: 0...Int32.max)
            let arm = try reader.id(experiment, "experiment")
            guard items.isPresent else { throw reader.missing("items", "an array of the items shown") }
            guard items.kind == .array else { throw reader.wrongType(items, "items", "an array of objects") }

            var result: [Interaction] = []
            var list = reader.scanner(from: items.start + 1, to: items.end)
            var first = true
            while try list.nextElement(first: &first) {
                let token = try list.value(depth: 0)
                let slot = result.count
                guard slot < rules.maxSlateItems else {
                    throw Rejection(.tooManyElements, field: "items", "lists more than \(rules.maxSlateItems)")
                }
                let (itemID, reason) = try shown(token, slot, reader, bytes)
                var interaction = Interaction(
                    eventID: rules.composedID("\(request)#\(slot)"), type: .impression, userID: user, itemID: itemID, time: time,
                    sessionID: session, requestID: request, slot: Int32(slot), modelVersion: version,
                    context: Self.context(reason: reason, experiment: arm), position: origin.position)
                interaction.payloadHash = interaction.contentHash()
                result.append(interaction)
            }
            return result
        }
    }

    private func shown(
        _ token: JSONToken, _ slot: Int, _ reader: FieldReader, _ bytes: UnsafeRawBufferPointer
    ) throws(Rejection) -> (itemID: String, reason: String?) {
        guard token.kind == .object else { throw reader.wrongType(token, "items[\(slot)]", "an object") }
        var itemID = JSONToken()
        var reason = JSONToken()
        var inner = reader.scanner(from: token.start, to: token.end)
        try members(&inner, bytes) { name, value in
            switch name {
            case "item_id": itemID = value
            case "reason": reason = value
            default: break
            }
        }
        return (
            try reader.requiredID(itemID, "items[\(slot)].item_id"), try reader.id(reason, "items[\(slot)].reason")
        )
    }

    private static func context(reason: String?, experiment: String?) -> String? {
        switch (reason, experiment) {
        case (nil, nil): nil
        case (let reason?, nil): "{\"reason\":\(JSONText.quoted(reason))}"
        case (nil, let experiment?): "{\"experiment\":\(JSONText.quoted(experiment))}"
        case (let reason?, let experiment?):
            // As every object is spelled: members in the order of their keys.
            "{\"experiment\":\(JSONText.quoted(experiment)),\"reason\":\(JSONText.quoted(reason))}"
        }
    }

    /// Walks the members of an object, keys with their escapes resolved.
    func members(
        _ scanner: inout JSONScanner, _ bytes: UnsafeRawBufferPointer, _ visit: (String, JSONToken) -> Void
    ) throws(Rejection) {
        try open(&scanner)
        var first = true
        while let key = try scanner.nextKey(first: &first) {
            let name: String
            if key.traits.contains(.escaped) {
                name = try unescaped(key, bytes)
            } else {
                name = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[key.start..<key.end]), as: UTF8.self)
            }
            do throws(Rejection) {
                visit(name, try scanner.value(depth: 1))
            } catch {
                throw Rejection(error.code, field: error.field ?? String(name.prefix(64)), error.detail)
            }
        }
        try finish(&scanner)
    }
}

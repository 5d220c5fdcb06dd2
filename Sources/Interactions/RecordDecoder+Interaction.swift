extension RecordDecoder {
    /// The fields of an event that Freshet reads, each where it stands.
    private struct EventFields {
        var eventID = JSONToken()
        var type = JSONToken()
        var userID = JSONToken()
        var idSpace = JSONToken()
        var itemID = JSONToken()
        var timestamp = JSONToken()
        var value = JSONToken()
        var currency = JSONToken()
        var quantity = JSONToken()
        var sessionID = JSONToken()
        var requestID = JSONToken()
        var slot = JSONToken()
        var modelVersion = JSONToken()
        var context = JSONToken()
    }

    /// Decodes one record of `freshet.events`.
    ///
    /// - Parameters:
    ///   - bytes: JSON in UTF-8; borrowed for the call.
    ///   - origin: Where it came from.
    ///   - now: The clock against which the future is measured.
    /// - Complexity: O(bytes), one pass; about one allocation for the context.
    public func interaction(
        _ bytes: UnsafeRawBufferPointer, origin: RecordOrigin, now: EventTime
    ) -> Result<Interaction, Rejection> {
        do throws(Rejection) {
            var (scanner, reader) = try begin(bytes, maxBytes: rules.maxRecordBytes)
            let fields = try eventFields(&scanner, bytes)
            return .success(try interaction(fields, reader, bytes, origin, now))
        } catch {
            return .failure(error)
        }
    }

    @inline(__always)
    private func eventFields(
        _ scanner: inout JSONScanner, _ bytes: UnsafeRawBufferPointer
    ) throws(Rejection) -> EventFields {
        try open(&scanner)
        var fields = EventFields()
        var first = true
        while let key = try scanner.nextKey(first: &first) {
            if key.traits.contains(.escaped) {
                try escapedField(key, &scanner, &fields, bytes)
                continue
            }
            switch key.count {
            case 4 where scanner.key(key, is: "type"): fields.type = try value(&scanner, "type")
            case 4 where scanner.key(key, is: "slot"): fields.slot = try value(&scanner, "slot")
            case 5 where scanner.key(key, is: "value"): fields.value = try value(&scanner, "value")
            case 7 where scanner.key(key, is: "user_id"): fields.userID = try value(&scanner, "user_id")
            case 7 where scanner.key(key, is: "item_id"): fields.itemID = try value(&scanner, "item_id")
            case 7 where scanner.key(key, is: "context"): fields.context = try value(&scanner, "context")
            case 8 where scanner.key(key, is: "event_id"): fields.eventID = try value(&scanner, "event_id")
            case 8 where scanner.key(key, is: "id_space"): fields.idSpace = try value(&scanner, "id_space")
            case 8 where scanner.key(key, is: "currency"): fields.currency = try value(&scanner, "currency")
            case 8 where scanner.key(key, is: "quantity"): fields.quantity = try value(&scanner, "quantity")
            case 9 where scanner.key(key, is: "timestamp"): fields.timestamp = try value(&scanner, "timestamp")
            case 10 where scanner.key(key, is: "session_id"): fields.sessionID = try value(&scanner, "session_id")
            case 10 where scanner.key(key, is: "request_id"): fields.requestID = try value(&scanner, "request_id")
            case 13 where scanner.key(key, is: "model_version"): fields.modelVersion = try value(&scanner, "model_version")
            default: _ = try scanner.value(depth: 1)
            }
        }
        try finish(&scanner)
        return fields
    }

    /// A key that spells a name with escapes is that name all the same.
    @inline(never)
    private func escapedField(
        _ key: JSONToken, _ scanner: inout JSONScanner, _ fields: inout EventFields, _ bytes: UnsafeRawBufferPointer
    ) throws(Rejection) {
        let token = try scanner.value(depth: 1)
        switch try unescaped(key, bytes) {
        case "type": fields.type = token
        case "slot": fields.slot = token
        case "value": fields.value = token
        case "user_id": fields.userID = token
        case "id_space": fields.idSpace = token
        case "item_id": fields.itemID = token
        case "context": fields.context = token
        case "event_id": fields.eventID = token
        case "currency": fields.currency = token
        case "quantity": fields.quantity = token
        case "timestamp": fields.timestamp = token
        case "session_id": fields.sessionID = token
        case "request_id": fields.requestID = token
        case "model_version": fields.modelVersion = token
        default: break
        }
    }

    @inline(__always)
    private func interaction(
        _ fields: EventFields, _ reader: FieldReader, _ bytes: UnsafeRawBufferPointer, _ origin: RecordOrigin,
        _ now: EventTime
    ) throws(Rejection) -> Interaction {
        let type = try type(fields.type, reader)
        let sessionID = try reader.id(fields.sessionID, "session_id")
        let userID = try user(fields.userID, in: fields.idSpace, sessionID, reader)
        let itemID = try reader.requiredID(fields.itemID, "item_id")
        let time = try eventTime(fields.timestamp, reader, now: now)
        let eventID = try reader.id(fields.eventID, "event_id") ?? derivedEventID(bytes, origin)
        var interaction = Interaction(
            eventID: eventID, type: type, userID: userID, itemID: itemID, time: time, sessionID: sessionID,
            position: origin.position)
        if fields.quantity.isPresent {
            interaction.quantity = try reader.integer(fields.quantity, "quantity", in: 1...Int32.max) ?? 1
        }
        if fields.currency.isPresent { interaction.currency = try reader.currency(fields.currency, "currency") }
        if fields.value.isPresent { try price(&interaction, fields.value, reader) }
        if fields.requestID.isPresent { interaction.requestID = try reader.id(fields.requestID, "request_id") }
        if fields.slot.isPresent { interaction.slot = try reader.integer(fields.slot, "slot", in: 0...Int32.max) }
        if fields.modelVersion.isPresent {
            interaction.modelVersion = try reader.integer(fields.modelVersion, "model_version", in: 0...Int32.max)
        }
        if fields.context.isPresent { interaction.context = try reader.object(fields.context, "context") }
        interaction.payloadHash = interaction.contentHash()
        return interaction
    }

    /// Whoever has no user id is known by the session until a login stitches it to a user; sessions have no space but their own.
    @inline(__always)
    func user(
        _ token: JSONToken, in space: JSONToken, _ sessionID: String?, _ reader: FieldReader
    ) throws(Rejection) -> String {
        let space = space.isPresent ? try reader.idSpace(space) : nil
        if let userID = try reader.id(token, of: .user, "user_id") {
            return space == nil ? userID : try rules.userID(userID, in: space, field: "user_id")
        }
        guard let sessionID else { throw reader.missing("user_id", "a non-empty string, unless there is a session_id") }
        return try rules.sessionUser(sessionID)
    }

    @inline(never)
    private func price(_ interaction: inout Interaction, _ token: JSONToken, _ reader: FieldReader) throws(Rejection) {
        let value = try reader.money(token, "value")
        let currency = interaction.currency ?? rules.defaultCurrency
        interaction.currency = currency
        interaction.priceMicros = try reader.micros(value, "value")
        guard
            let amount = value.magnitude(
                times: UInt32(interaction.quantity), shift: Currency.minorUnitDigits(currency))
        else {
            throw Rejection(.outOfRange, field: "value", "times the quantity does not fit 64 bits of minor units")
        }
        interaction.amountMinor = amount
    }

    @inline(__always)
    private func type(_ token: JSONToken, _ reader: FieldReader) throws(Rejection) -> InteractionType {
        if token.kind == .string, token.traits.isEmpty {
            let scanner = reader.scanner(from: token.start, to: reader.bytes.count)
            switch token.count {
            case 5 where scanner.key(token, is: "click"): return clickType
            case 6 where scanner.key(token, is: "return"): return returnType
            case 8 where scanner.key(token, is: "purchase"): return purchaseType
            case 10 where scanner.key(token, is: "impression"): return impressionType
            case 11 where scanner.key(token, is: "add_to_cart"): return addToCartType
            default: break
            }
        }
        return try unusualType(token, reader)
    }

    @inline(never)
    private func unusualType(_ token: JSONToken, _ reader: FieldReader) throws(Rejection) -> InteractionType {
        guard token.isPresent, token.count > 0 else {
            throw reader.missing("type", "impression, click, add_to_cart, purchase, return or a configured name")
        }
        guard token.kind == .string else { throw reader.wrongType(token, "type", "a string") }
        guard let name = try reader.id(token, "type"), let type = rules.typeNames[name] else {
            let shown = try reader.string(token, .text, "type").prefix(64)
            throw Rejection(
                .unknownType, field: "type",
                "\(JSONText.quoted(String(shown))) is not one of \(rules.typeNames.keys.sorted().joined(separator: ", "))")
        }
        return type
    }
}

import Interactions

/// One version of a model as the registry knows it.
public struct RegisteredModel: Sendable, Equatable {
    /// Where a version stands.
    public enum Status: String, Sendable {
        case candidate, promoted, retired, refused
    }
    public var version: Int32
    public var createdAt: EventTime
    public var status: Status
    public var artifactPath: String
    public var artifactChecksum: String
    /// JSON objects as text.
    public var configuration: String
    public var metrics: String
    public var watermark: String
    /// Why it was promoted or refused.
    public var reason: String?
    public var promotedAt: EventTime?
    /// The version that it replaced.
    public var replacedVersion: Int32?
}

/// The registry of model versions. At most one is promoted.
extension StoreQueries {
    /// The channel on which a promotion tells the version.
    static let modelChannel = "freshet_models"
    /// The advisory lock of promotions (the bytes of "freshet" and 3).
    static let registryLock: Int64 = 0x6672_6573_6865_7403

    private static let modelFields = """
        version, created_at, status, artifact_path, artifact_checksum, configuration, metrics, watermark, reason, promoted_at, \
        replaced_version
        """

    /// Versions, newest first.
    public func models(limit: Int = 100) throws(StoreError) -> [RegisteredModel] {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(Int32(clamping: min(max(0, limit), Self.listedRowsLimit)))
            let rows = try connection.run("select \(Self.modelFields) from models order by version desc limit $1", parameters)
            return (0..<rows.count).map { Self.model(rows, $0) }
        }
    }

    /// One version, or nil.
    public func model(_ version: Int32) throws(StoreError) -> RegisteredModel? {
        try pool.withConnection { (connection) throws(StoreError) in
            var parameters = Parameters()
            parameters.add(version)
            let rows = try connection.run("select \(Self.modelFields) from models where version = $1", parameters)
            return rows.count == 0 ? nil : Self.model(rows, 0)
        }
    }

    /// The version that servers use, or nil before the first promotion.
    public func promotedModel() throws(StoreError) -> RegisteredModel? {
        try pool.withConnection { (connection) throws(StoreError) in
            let rows = try connection.run("select \(Self.modelFields) from models where status = 'promoted'")
            return rows.count == 0 ? nil : Self.model(rows, 0)
        }
    }

    /// Enters a candidate and returns its version.
    ///
    /// - Parameters: `configuration`, `metrics` and `watermark` are JSON objects as text.
    public func registerModel(
        artifactPath: String, artifactChecksum: String, configuration: String, metrics: String, watermark: String
    ) throws(StoreError) -> Int32 {
        try pool.withConnection { (connection) throws(StoreError) in
            var row = Parameters()
            row.add(artifactPath)
            row.add(artifactChecksum)
            row.add(json: configuration)
            row.add(json: metrics)
            row.add(json: watermark)
            let rows = try connection.run(
                """
                insert into models (artifact_path, artifact_checksum, configuration, metrics, watermark)
                values ($1, $2, $3, $4, $5) returning version
                """, row)
            return rows.int32(0, 0) ?? 0
        }
    }

    /// Makes a version the one that servers use; the former one retires. Both in one transaction.
    ///
    /// - Throws: `notFound` when there is no such version.
    @discardableResult
    public func promoteModel(_ version: Int32, reason: String) throws(StoreError) -> RegisteredModel {
        try registryTransaction { (connection) throws(StoreError) in
            let current = try Self.promotedVersion(connection)
            if current == version { return try Self.required(version, connection) }
            _ = try Self.required(version, connection)
            return try Self.switchPromotion(from: current, to: version, reason: reason, replaced: current, connection)
        }
    }

    /// Goes back to the version that the promoted one replaced.
    ///
    /// - Throws: `notFound` when there is none.
    @discardableResult
    public func rollBackModel(reason: String = "rollback") throws(StoreError) -> RegisteredModel {
        try registryTransaction { (connection) throws(StoreError) in
            let current = try Self.promotedVersion(connection)
            var replaced: Int32?
            if let current { replaced = try Self.required(current, connection).replacedVersion }
            guard let current, let replaced else {
                throw StoreError(
                    .notFound, "there is no model version to go back to: "
                        + (current.map { "version \($0) was the first to be promoted" } ?? "none is promoted"))
            }
            let target = try Self.required(replaced, connection)
            return try Self.switchPromotion(
                from: current, to: replaced, reason: reason, replaced: target.replacedVersion, connection)
        }
    }

    /// Marks a candidate as refused by the gate.
    public func refuseModel(_ version: Int32, reason: String) throws(StoreError) {
        try registryTransaction { (connection) throws(StoreError) in
            var row = Parameters()
            row.add(version)
            row.add(reason)
            let changed = try connection.run(
                "update models set status = 'refused', reason = $2 where version = $1 and status <> 'promoted'", row
            ).affected
            if changed == 0 {
                throw StoreError(.notFound, "model version \(version) is promoted or does not exist, so it cannot be refused")
            }
        }
    }

    private func registryTransaction<R>(_ body: (Connection) throws(StoreError) -> R) throws(StoreError) -> R {
        try pool.withConnection { (connection) throws(StoreError) in
            try connection.transaction { () throws(StoreError) in
                var key = Parameters()
                key.add(Self.registryLock)
                try connection.run("select 1 from pg_advisory_xact_lock($1)", key)
                return try body(connection)
            }
        }
    }

    private static func promotedVersion(_ connection: Connection) throws(StoreError) -> Int32? {
        let rows = try connection.run("select version from models where status = 'promoted'")
        return rows.count == 0 ? nil : rows.int32(0, 0)
    }

    private static func required(_ version: Int32, _ connection: Connection) throws(StoreError) -> RegisteredModel {
        var parameters = Parameters()
        parameters.add(version)
        let rows = try connection.run("select \(modelFields) from models where version = $1", parameters)
        guard rows.count == 1 else {
            throw StoreError(.notFound, "there is no model version \(version); freshet models list shows them")
        }
        return model(rows, 0)
    }

    private static func switchPromotion(
        from current: Int32?, to version: Int32, reason: String, replaced: Int32?, _ connection: Connection
    ) throws(StoreError) -> RegisteredModel {
        if let current {
            var former = Parameters()
            former.add(current)
            try connection.run("update models set status = 'retired' where version = $1", former)
        }
        var row = Parameters()
        row.add(version)
        row.add(reason)
        row.add(replaced)
        try connection.run(
            """
            update models set status = 'promoted', promoted_at = clock_timestamp(), reason = $2, replaced_version = $3 where version = $1
            """, row)
        var told = Parameters()
        told.add(version)
        try connection.run("select 1 from pg_notify('\(modelChannel)', $1::integer::text)", told)
        return try required(version, connection)
    }

    private static func model(_ rows: QueryResult, _ row: Int) -> RegisteredModel {
        RegisteredModel(
            version: rows.int32(row, 0) ?? 0, createdAt: rows.time(row, 1) ?? EventTime(milliseconds: 0),
            status: RegisteredModel.Status(rawValue: rows.string(row, 2) ?? "") ?? .retired, artifactPath: rows.string(row, 3) ?? "",
            artifactChecksum: rows.string(row, 4) ?? "", configuration: rows.json(row, 5) ?? "{}", metrics: rows.json(row, 6) ?? "{}",
            watermark: rows.json(row, 7) ?? "{}", reason: rows.string(row, 8), promotedAt: rows.time(row, 9),
            replacedVersion: rows.int32(row, 10))
    }
}

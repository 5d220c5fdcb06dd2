import CLibPQ
import Foundation

/// The owner of one connection to PostgreSQL.
///
/// libpq allows a connection to be used from any thread, but from one thread at a time: so does this class. It is not
/// `Sendable`; whoever shares one guards it.
final class Connection {
    /// The oldest server that the statements here work on.
    static let oldestServerVersion: Int32 = 130_000
    /// How many prepared statements one connection keeps.
    static let preparedStatementsLimit = 256

    let place: String
    let handle: OpaquePointer
    /// What this connection was made with, for the question whether a silent server still works.
    let settings: ConnectionSettings
    /// How long the server may work on a statement, in milliseconds; 0: as long as it likes.
    let statementTimeoutMilliseconds: Int
    /// Whether nobody talks over the connection any more, though libpq may find that it works: it was given up, or the server is a replica
    /// by now.
    private var isStale = false
    private var prepared: [String: String] = [:]
    private var rowTypes: [String: RowType] = [:]

    /// Connects. The statement timeout counts for every statement of this connection; 0 is none.
    init(
        url: String, role: String = "freshet", statementTimeoutMilliseconds: Int = 0, extraSettings: String = ""
    ) throws(StoreError) {
        settings = try ConnectionSettings(url: url, applicationName: role)
        self.statementTimeoutMilliseconds = statementTimeoutMilliseconds
        place = settings.place
        handle = try Self.connect(settings)
        PQsetErrorVerbosity(handle, PQERRORS_DEFAULT)
        // Notices are no errors; without a receiver libpq prints them to standard error.
        PQsetNoticeReceiver(handle, { _, _ in }, nil)
        if PQserverVersion(handle) < Self.oldestServerVersion {
            throw StoreError(
                .serverTooOld, "\(place): the server is version \(PQserverVersion(handle) / 10_000); PostgreSQL 13 or newer is needed")
        }
        if let encoding = PQparameterStatus(handle, "server_encoding").map({ String(cString: $0) }), encoding != "UTF8" {
            throw StoreError(
                .conflict, "\(place): the database's encoding is \(encoding); create it with ENCODING 'UTF8' TEMPLATE template0")
        }
        try execute(
            ConnectionSettings.sessionSettings + "; set statement_timeout = \(statementTimeoutMilliseconds)"
                + (extraSettings.isEmpty ? "" : "; " + extraSettings))
    }

    deinit { PQfinish(handle) }

    /// Whether the connection is known to be broken.
    var isBroken: Bool { isStale || PQstatus(handle) != CONNECTION_OK }

    /// Whether a transaction is open or failed.
    var isInTransaction: Bool { PQtransactionStatus(handle) != PQTRANS_IDLE }

    /// The server process of this connection.
    var serverProcessID: Int32 { PQbackendPID(handle) }

    /// Breaks the connection at once, as a crash of this process would: the server rolls back what is open.
    func sever() {
        // Bytes that came before can still be read, and libpq takes the connection for a good one as long as it finds some.
        isStale = true
        shutdown(PQsocket(handle), Int32(SHUT_RDWR))
    }

    // MARK: Connecting

    /// Connects without blocking in libpq, so that the errors carry a SQLSTATE and the time limit is ours.
    static func connect(_ settings: ConnectionSettings) throws(StoreError) -> OpaquePointer {
        let keywords = settings.options.map { strdup($0.keyword) }
        let values = settings.options.map { strdup($0.value) }
        defer { for pointer in keywords + values { free(pointer) } }
        let started = PQconnectStartParams(
            keywords.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 0)
        guard let handle = started else {
            throw StoreError(.unreachable, isRetriable: true, "\(settings.place): out of memory")
        }
        PQsetErrorVerbosity(handle, PQERRORS_VERBOSE)
        // Nobody was asked yet: what failed here are the options themselves, and waiting mends none.
        if PQstatus(handle) == CONNECTION_BAD {
            let words = settings.withoutSecrets(PQerrorMessage(handle).map { String(cString: $0) } ?? "")
            if let line = words.split(separator: "\n").first, line.hasPrefix("invalid ") {
                PQfinish(handle)
                throw StoreError(.invalidURL, "database.url: \(line) — correct it")
            }
        }
        let deadline = Date().addingTimeInterval(Double(settings.timeoutSeconds))
        // A `connect_timeout` of years has more milliseconds than one wait takes.
        let pollSeconds = 60.0
        var state = PQstatus(handle) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING
        while state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING {
            let left = deadline.timeIntervalSinceNow
            var waiting = pollfd(
                fd: PQsocket(handle), events: Int16(state == PGRES_POLLING_READING ? POLLIN : POLLOUT), revents: 0)
            let ready = left > 0 ? poll(&waiting, 1, Int32(min(left, pollSeconds) * 1000) + 1) : 0
            if ready == 0, left > pollSeconds { continue }
            if ready == 0 {
                PQfinish(handle)
                throw StoreError(
                    .unreachable, isRetriable: true,
                    "\(settings.place) did not answer within \(settings.timeoutSeconds) s — check database.url and that the server runs")
            }
            if ready < 0 && errno != EINTR { state = PGRES_POLLING_FAILED } else { state = PQconnectPoll(handle) }
        }
        if state == PGRES_POLLING_OK { return handle }
        let needsPassword = PQconnectionNeedsPassword(handle) != 0
        let text = settings.withoutSecrets(PQerrorMessage(handle).map { String(cString: $0) } ?? "")
        PQfinish(handle)
        throw connectionError(text, needsPassword: needsPassword, place: settings.place)
    }

    /// Takes the SQLSTATE out of a verbose message: `… FATAL:  28P01: password authentication failed for user "x"`.
    private static func connectionError(_ text: String, needsPassword: Bool, place: String) -> StoreError {
        let line = text.split(separator: "\n").first { $0.contains("FATAL:  ") } ?? text.split(separator: "\n").first ?? ""
        if let fatal = line.range(of: "FATAL:  ") {
            let rest = line[fatal.upperBound...]
            let state = rest.prefix(5)
            if rest.dropFirst(5).hasPrefix(": "), state.allSatisfy({ $0.isASCII && ($0.isNumber || $0.isUppercase) }) {
                return StoreError(sqlState: String(state), text: String(rest.dropFirst(7)), place: "connecting to \(place)")
            }
        }
        if needsPassword {
            return StoreError(.authentication, "connecting to \(place): the server asks for a password and database.url gives none")
        }
        return StoreError(
            .unreachable, isRetriable: true,
            "connecting to \(place): \(line) — check database.url and that the server runs")
    }

    // MARK: Statements

    /// Runs SQL text without parameters, several statements if need be.
    func execute(_ sql: String) throws(StoreError) {
        _ = try checked(try answered(PQsendQuery(handle, sql), sql), sql)
    }

    /// Runs one statement, prepared on first use, and returns its rows in binary.
    @discardableResult
    func run(_ sql: String, _ parameters: Parameters = Parameters()) throws(StoreError) -> QueryResult {
        try check(parameters, sql)
        let name = try prepare(sql, parameters)
        let sent = parameters.withPointers { count, values, lengths, formats in
            PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1)
        }
        return try checked(try answered(sent, sql), sql)
    }

    /// Sends one statement and returns at once; ``finish(_:)`` takes its answer. Lets the caller work while the server does.
    func send(_ sql: String, _ parameters: Parameters) throws(StoreError) {
        try check(parameters, sql)
        let name = try prepare(sql, parameters)
        let sent = parameters.withPointers { count, values, lengths, formats in
            PQsendQueryPrepared(handle, name, count, values, lengths, formats, 1)
        }
        // The socket stays blocking for libpq, so this writes all of it.
        if sent == 0 || PQflush(handle) < 0 { throw lost(sql) }
    }

    /// Waits for the answer of the statement that ``send(_:_:)`` sent.
    func finish(_ sql: String) throws(StoreError) -> QueryResult {
        try checked(try answered(1, sql), sql)
    }

    /// The answer of what was sent: the first error, else the last result.
    private func answered(_ sent: Int32, _ sql: String) throws(StoreError) -> OpaquePointer? {
        guard sent == 1 else { throw lost(sql) }
        var last: OpaquePointer?
        while true {
            do throws(StoreError) {
                try waitForResult(sql)
            } catch {
                // What the server said last is the better reason for the end of the connection.
                if let last, PQresultStatus(last) == PGRES_FATAL_ERROR { return last }
                if let last { PQclear(last) }
                throw error
            }
            guard let next = PQgetResult(handle) else { return last }
            if let earlier = last {
                if PQresultStatus(earlier) == PGRES_FATAL_ERROR {
                    PQclear(next)
                    continue
                }
                PQclear(earlier)
            }
            last = next
            let status = PQresultStatus(next)
            if status == PGRES_COPY_IN || status == PGRES_COPY_OUT || isBroken { return next }
        }
    }

    /// A statement that PostgreSQL would not take is refused before it is sent: libpq would give up the connection.
    private func check(_ parameters: Parameters, _ sql: String) throws(StoreError) {
        guard let refusal = parameters.refusal else { return }
        throw StoreError(.refusedData, "\(place), at “\(Self.opening(of: sql))”: \(refusal)")
    }

    private func prepare(_ sql: String, _ parameters: Parameters) throws(StoreError) -> String {
        if let name = prepared[sql] { return name }
        if prepared.count >= Self.preparedStatementsLimit {
            try execute("deallocate all")
            prepared.removeAll()
        }
        let name = "s\(prepared.count)"
        let sent = PQsendPrepare(handle, name, sql, Int32(clamping: parameters.types.count), parameters.types)
        _ = try checked(try answered(sent, sql), sql)
        prepared[sql] = name
        return name
    }

    /// Runs `body` in a transaction; rolls back when it throws.
    func transaction<R>(_ begin: String = "begin", _ body: () throws(StoreError) -> R) throws(StoreError) -> R {
        try execute(begin)
        do {
            let value = try body()
            try execute("commit")
            return value
        } catch {
            rollBack()
            throw error
        }
    }

    /// Ends an open transaction without its effects. A broken connection needs none.
    func rollBack() {
        if !isBroken && isInTransaction { try? execute("rollback") }
    }

    // MARK: Row types

    /// The type of a table's rows.
    func rowType(of table: String) throws(StoreError) -> RowType {
        if let known = rowTypes[table] { return known }
        var name = Parameters()
        name.add(table)
        let rows = try run("select oid::bigint, typarray::bigint from pg_type where oid = $1::text::regtype", name)
        guard let row = rows.int64(0, 0), let array = rows.int64(0, 1), array > 0 else {
            throw StoreError(.schemaTooOld, "\(place): the type of the rows of \(table) is missing — run freshet migrate")
        }
        let type = RowType(row: UInt32(truncatingIfNeeded: row), array: UInt32(truncatingIfNeeded: array))
        rowTypes[table] = type
        return type
    }

    // MARK: COPY

    /// A COPY is sent in pieces of about so many bytes: who fills the buffer stops there.
    static let copyChunkBytes = 64 * 1024

    /// Sends a whole binary COPY. `fill` appends rows, about ``copyChunkBytes`` of them, until it returns false.
    /// `meanwhile` runs once all is sent, while the server still works on it.
    func copyIn(
        _ sql: String, buffer: WireBuffer, meanwhile: () -> Void = {}, fill: (WireBuffer) -> Bool
    ) throws(StoreError) {
        try execute(sql)
        buffer.removeAll()
        buffer.appendCopyHeader()
        var more = true
        while more {
            more = fill(buffer)
            if !more { buffer.appendCopyTrailer() }
            if buffer.count >= Self.copyChunkBytes || buffer.isOverfull || !more {
                let length = Int32(clamping: buffer.count), isOverfull = buffer.isOverfull
                guard !isOverfull else {
                    // What was sent so far is given up: with it the server ends the statement.
                    _ = PQputCopyEnd(handle, "a row is too large")
                    _ = try? finish(sql)
                    throw StoreError(.refusedData, "\(place), at “\(Self.opening(of: sql))”: a row is larger than PostgreSQL takes (1 GiB)")
                }
                if PQputCopyData(handle, buffer.baseAddress.assumingMemoryBound(to: CChar.self), length) != 1 { throw lost(sql) }
                buffer.removeAll()
            }
        }
        if PQputCopyEnd(handle, nil) != 1 { throw lost(sql) }
        meanwhile()
        _ = try finish(sql)
    }

    /// Reads a binary COPY row by row. `each` gets a reader that stands at the row's first field.
    func copyOut(_ sql: String, each: (inout CopyReader) throws(StoreError) -> Void) throws(StoreError) {
        try execute(sql)
        var isFirst = true
        while true {
            var message: UnsafeMutablePointer<CChar>?
            let length = PQgetCopyData(handle, &message, 1)
            if length == 0 {
                try waitForBytes(sql)
                continue
            }
            if length == -1 { break }
            guard length >= 0, let message else { throw lost(sql) }
            defer { PQfreemem(message) }
            var reader = CopyReader(UnsafeRawBufferPointer(start: message, count: Int(length)))
            if isFirst {
                try reader.skipHeader()
                isFirst = false
            }
            do throws(StoreError) {
                if try reader.startRow() { try each(&reader) }
            } catch {
                // The rest of the COPY is still on its way: the connection cannot serve another statement.
                sever()
                throw error
            }
        }
        _ = try finish(sql)
    }

    // MARK: Errors

    private func checked(_ result: OpaquePointer?, _ sql: String) throws(StoreError) -> QueryResult {
        guard let result else { throw lost(sql) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_EMPTY_QUERY:
            return QueryResult(result)
        default:
            let state = PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) }
            let text = PQresultErrorField(result, Int32(UInt8(ascii: "M"))).map { String(cString: $0) }
            PQclear(result)
            guard let text, state != nil else { throw lost(sql) }
            let error = StoreError(sqlState: state, text: text, place: "\(place), at “\(Self.opening(of: sql))”")
            // The next attempt connects anew: a server that became a replica, or that forgot what was prepared, does not change its mind.
            if error.code == .readOnly || error.code == .connectionLost { isStale = true }
            throw error
        }
    }

    func lost(_ sql: String) -> StoreError {
        // Whatever libpq makes of it: the next call connects again, as the sentence says.
        isStale = true
        let text = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        let line = text.split(separator: "\n").first.map(String.init) ?? "the connection was lost"
        return StoreError(
            .connectionLost, isRetriable: true, "\(place), at “\(Self.opening(of: sql))”: \(line) — the next call connects again")
    }

    /// The first words of a statement, for messages.
    static func opening(of sql: String) -> String {
        let words = sql.split(whereSeparator: { $0 == " " || $0 == "\n" }).prefix(6).joined(separator: " ")
        return String(words.prefix(60))
    }
}

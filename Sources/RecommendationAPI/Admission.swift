import HummingbirdCore

/// Lets as many requests be answered at once as allowed, and counts those that are.
package struct Admission: RequestMiddleware {
    let metrics: RequestMetrics
    let maxConcurrentRequests: Int

    /// Counts requests in these metrics, and lets so many in at a time.
    package init(metrics: RequestMetrics, maxConcurrentRequests: Int) {
        self.metrics = metrics
        self.maxConcurrentRequests = maxConcurrentRequests
    }

    /// It stands behind the reading of bodies: one that does not come takes no place from others.
    package func handle(_ exchange: inout Exchange, next: some RequestHandler) async throws -> Response {
        let inFlight = metrics.enter()
        defer { metrics.leave() }
        if exchange.found.isLimited, inFlight > maxConcurrentRequests {
            throw Problem(
                .serviceUnavailable, "overloaded", "\(maxConcurrentRequests) requests are being answered already.",
                headers: [.retryAfter: "1"])
        }
        return try await next.handle(&exchange)
    }
}

/// Holds each caller to a rate of requests, where one is configured; probes are let through.
package struct CallerRates: RequestCheck {
    let limit: RateLimit?

    /// Admits requests at this rate; nil admits all.
    package init(limit: RateLimit?) {
        self.limit = limit
    }

    package func check(_ exchange: inout Exchange) throws(Problem) {
        guard exchange.found.isLimited, let limit else { return }
        guard let wait = limit.admit(caller: max(0, exchange.caller), now: exchange.began) else { return }
        throw Problem(
            .tooManyRequests, "too-many-requests", "Too many requests a second. Ask again in \(wait) s.",
            headers: [.retryAfter: String(wait)])
    }
}

/// Takes in the body where the route reads one.
package struct BodyIntake: RequestMiddleware {
    let maxBytes: Int

    /// Takes bodies of so many bytes at most.
    package init(maxBytes: Int) {
        self.maxBytes = maxBytes
    }

    package func handle(_ exchange: inout Exchange, next: some RequestHandler) async throws -> Response {
        if exchange.found.takesBody {
            exchange.body = try await RequestBody.read(exchange.request, maxBytes: maxBytes, from: exchange.connection)
        }
        return try await next.handle(&exchange)
    }
}

/// Gives up what takes too long, or whose caller left.
package struct RequestDeadline: RequestMiddleware {
    let clock: DeadlineClock
    let limitMilliseconds: Int

    /// Ends what takes longer, by this clock.
    package init(clock: DeadlineClock, limitMilliseconds: Int) {
        self.clock = clock
        self.limitMilliseconds = limitMilliseconds
    }

    package func handle(_ exchange: inout Exchange, next: some RequestHandler) async throws -> Response {
        let route = exchange.found
        guard route.isTimed else { return try await next.handle(&exchange) }
        let ready = exchange
        let isLarge = ready.body.count >= WorkThreads.largeBodyBytes
        do {
            // The time of a body counts from when it was there: how fast it came is the connection's limit.
            return try await clock.run(
                limit: .milliseconds(limitMilliseconds), from: route.takesBody ? .now : exchange.began, for: exchange.connection,
                on: isLarge ? WorkThreads.shared : nil
            ) {
                var exchange = ready
                return try await next.handle(&exchange)
            }
        } catch is DeadlineClock.Expired {
            throw Problem.timedOut(milliseconds: limitMilliseconds)
        }
    }
}

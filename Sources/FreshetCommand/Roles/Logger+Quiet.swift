import Logging

extension Logger {
    /// For a group of services, whose own lines are of interest only when something is wrong.
    var quiet: Logger {
        var quiet = self
        quiet.logLevel = max(logLevel, .warning)
        return quiet
    }
}

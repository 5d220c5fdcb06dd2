import Settings

/// The settings in force; ``ConfigurationError`` without a module is that of the settings, for `TowerModel` has one, too.
typealias Configuration = Settings.Configuration
typealias ConfigurationError = Settings.ConfigurationError
typealias ConfigurationKey = Settings.ConfigurationKey
typealias KeyName = Settings.KeyName

import Foundation
import Testing

@Suite("The examples of ops/schedule do what the docs ask of a scheduled job")
struct ScheduleTests {
    @Test("every scheduled training enforces the data gate")
    func enforced() throws {
        var trainings = 0
        for path in Checkout.files(below: "ops/schedule") {
            let lines = try Checkout.text(path).split(separator: "\n").filter { !$0.contains(/^\s*#/) }
            for line in lines where line.contains(/(?:freshet train|\[train,)/) {
                trainings += 1
                #expect(line.contains("train.data_gate=enforce"), "\(path): \(line)")
            }
        }
        #expect(trainings == 3, "cron, systemd, Kubernetes")
    }

    @Test("a refused model is no failed job, and none is trained again at once")
    func refused() throws {
        let unit = try Checkout.text("ops/schedule/systemd/freshet-train.service")
        #expect(unit.contains("\nSuccessExitStatus=3\n") && unit.contains("\nRestart=on-failure\n"))
        let job = try Checkout.text("ops/schedule/kubernetes/train.yaml")
        #expect(
            job.contains("restartPolicy: Never")
                && job.contains(/podFailurePolicy:\s+rules:\s+- action: FailJob\s+onExitCodes: \{/)
                && job.contains("onExitCodes: { containerName: freshet, operator: In, values: [3] }"))
        #expect(
            try Checkout.text("ops/schedule/crontab").contains("# Exit status 0: trained and promoted. 3: trained, and the gate refused"))
        // Scripts that use whatever was trained ask for no other status than failure.
        for script in ["ops/quality", "ops/replay", "ops/measure-memory"] {
            for line in try Checkout.text(script).split(separator: "\n") where line.contains(/(?:run 'training'|"\$freshet") train/) {
                #expect(line.contains("--set train.refused_status=0"), "\(script): \(line)")
            }
        }
    }

    @Test("every unit reads the file of secrets, and every container its Secret")
    func secrets() throws {
        let units = Checkout.files(below: "ops/schedule") { $0.hasSuffix(".service") }
        #expect(units.count == 3)
        for path in units { #expect(try Checkout.text(path).contains("\nEnvironmentFile=-/etc/freshet/environment\n"), "\(path)") }
        for path in Checkout.files(below: "ops/schedule", where: { $0.hasSuffix(".yaml") && !$0.hasSuffix("configuration.yaml") }) {
            let text = try Checkout.text(path)
            #expect(text.matches(of: /image:/).count == text.matches(of: /secretRef:/).count, "\(path)")
        }
    }

    @Test("what listens beyond loopback has keys, from files of a Secret, and says nowhere that it is open")
    func keys() throws {
        let configuration = try Checkout.text("ops/schedule/kubernetes/configuration.yaml")
        let serve = try Checkout.text("ops/schedule/kubernetes/serve.yaml")
        #expect(configuration.contains("host: 0.0.0.0"))
        for name in ["read", "write", "admin", "metrics"] {
            #expect(serve.contains("{ name: FRESHET_HTTP_\(name.uppercased())_KEYS_FILE, value: /run/secrets/freshet/\(name) }"))
            #expect(configuration.contains("\n  \(name): change-me-\(name)\n"))
        }
        #expect(serve.contains("{ name: keys, mountPath: /run/secrets/freshet, readOnly: true }"))
        #expect(serve.contains("secretName: freshet-keys") && configuration.contains("\n  name: freshet-keys\n"))
        for path in Checkout.files(below: "ops/schedule") {
            #expect(!(try Checkout.text(path).contains(/(?m)^[^#]*\bopen: true/)), "\(path)")
        }
    }

    @Test("cron's line finds the secrets, goes on without them, and leaves a failure in the log", arguments: [true, false])
    func cron(hasSecrets: Bool) throws {
        let line = try #require(try Checkout.text("ops/schedule/crontab").split(separator: "\n").first { $0.contains("freshet train") })
        // Minute, hour, day, month, weekday, user; a per cent sign would end cron's command.
        let command = line.split(separator: " ", maxSplits: 6, omittingEmptySubsequences: true).last.map(String.init) ?? ""
        #expect(!command.contains("%"))
        let folder = FileManager.default.temporaryDirectory.appending(path: "freshet-cron-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder + "/bin", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let url = "postgresql://freshet:a$b c;d@h/x"
        if hasSecrets {
            try Data("# a comment\nFRESHET_DATABASE_URL='\(url)'\n".utf8).write(to: URL(fileURLWithPath: folder + "/environment"))
        }
        for (name, script) in [
            (
                "freshet",
                "#!/bin/sh\necho \"url=$FRESHET_DATABASE_URL\"\necho \"in=$PWD\"\necho \"arguments=$*\"\necho failed >&2\nexit 1\n"
            ),
            ("logger", "#!/bin/sh\ncat > '\(folder)/log'\n"),
        ] {
            try Data(script.utf8).write(to: URL(fileURLWithPath: "\(folder)/bin/\(name)"))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(folder)/bin/\(name)")
        }
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        let moved = command.replacing("/etc/freshet/environment", with: folder + "/environment").replacing("/var/lib/freshet", with: folder)
        shell.arguments = ["-c", moved]
        shell.environment = ["PATH": folder + "/bin:/usr/bin:/bin"]
        try shell.run()
        shell.waitUntilExit()
        let log = try String(contentsOfFile: folder + "/log", encoding: .utf8)
        #expect(log.contains("url=\(hasSecrets ? url : "")\n"), "\(log)")
        #expect(log.contains("in=\(folder)\n") && log.contains("arguments=train --resume") && log.contains("failed"), "\(log)")
    }
}

/// What is done with a command that a page prints in a block.
enum DocumentedPlan {
    /// Runs to its end with status 0, version 7 being version 1.
    case run
    /// Runs until it says the words.
    case role(String)
    /// A request to the service; the status that answers it.
    case request(Int)
    /// Names settings; the program must know them.
    case settings
    /// Cannot be run in a test; the reason.
    case not(String)

    /// Each command as it is printed, without its comment.
    static let all: [String: DocumentedPlan] = [
        "ops/demo": .not("builds a release and runs until Ctrl-C; ops/demo --check is run in a fresh clone before a release"),
        "ops/test": .not("runs these tests"),
        "ops/test --filter FeaturesTests": .not("runs tests while these run"),
        "export FRESHET_DATABASE_URL='postgresql://freshet:…@db.internal/freshet?sslmode=verify-full'": .settings,
        "export FRESHET_KAFKA_PROPERTIES_SASL_PASSWORD='…'": .settings,
        "swift build -c release --static-swift-stdlib --product freshet": .not("the program was built before the tests"),
        "install .build/release/freshet /usr/local/bin/": .not("needs root and changes the machine"),
        "freshet doctor": .run,
        "freshet migrate": .run,
        "freshet ingest": .role("partitions taken over"),
        "freshet ingest --try 20": .run,
        "freshet serve": .role("ready"),
        "freshet train": .run,
        #"curl -X PUT  localhost:8080/v1/items/i9 -d '{"title":"Trail shoe","categories":["shoes"],"price":89.9,"currency":"EUR"}'"#:
            .request(202),
        #"curl -X PATCH localhost:8080/v1/items/i9 -d '{"price":79.9,"stock":12}'"#: .request(202),
        #"curl -X POST localhost:8080/v1/events -d '{"event_id":"e1","type":"click","user_id":"u1","item_id":"i9","#
            + #""timestamp":"2026-11-21T08:00:00Z"}'"#:
            .request(202),
        "curl 'localhost:8080/v1/recommendations?user_id=u1&n=10'": .request(200),
        "curl 'localhost:8080/v1/items/i9/similar?n=10'": .request(200),
        #"eval "$(ops/servers start .freshet/dev)""#: .not("leaves servers in the checkout; ops/test starts its own the same way"),
        "swift build -c release --build-tests": .not("builds while tests run"),
        "swift test -c release --skip-build --disable-xctest": .not("runs these tests"),
        "ops/servers remove .freshet/dev": .not("would remove servers that a person has started"),
        "freshet evaluate": .run,
        "freshet evaluate leave-one-out --model 7 --json": .run,
        "freshet evaluate replay --events stream.jsonl.gz --report replay.html": .run,
        "freshet models report 7": .run,
        "ops/cut-tail --events train.jsonl.gz --tail 9000 --head-to head.jsonl.gz --tail-to tail.jsonl.gz": .run,
        "freshet models objectives 7": .not(
            "needs a model with several goals, which the smallest shop does not give; SignalTests reads one's table"),
        "freshet models objectives 7 --pick 3": .not(
            "needs a front with four points, which the smallest shop does not give; SignalTests trains one"),
        "ops/text-encoder /var/lib/freshet/minilm": .not("downloads 80 MB"),
        "freshet train --set content.encoder=/var/lib/freshet/minilm": .not(
            "needs that download; TextEncoderTests trains with one of its own"),
        "mpirun -n 2 freshet train --set threads=1": .not("RanksTests does it, where there is an mpirun"),
        #"kafka-acls.sh --bootstrap-server kafka-1:9093 --add --allow-principal User:freshet-ingest "#
            + #"--operation Read --operation Describe    --topic freshet.events --topic freshet.items --topic freshet.users "#
            + #"--topic freshet.impressions --group freshet"#:
            .not("sets rights in a broker of yours; the brokers of tests have none"),
        #"kafka-acls.sh --bootstrap-server kafka-1:9093 --add --allow-principal User:freshet-ingest "#
            + #"--operation Write --operation Describe --topic freshet.dead-letters"#:
            .not("sets rights in a broker of yours; the brokers of tests have none"),
        #"kafka-acls.sh --bootstrap-server kafka-1:9093 --add --allow-principal User:freshet-serve "#
            + #"--operation Write --operation Describe    --topic freshet.events --topic freshet.items --topic freshet.users "#
            + #"--topic freshet.impressions"#:
            .not("sets rights in a broker of yours; the brokers of tests have none"),
        #"psql -X -v ON_ERROR_STOP=1 -d freshet -f ops/roles.sql"#:
            .not("needs a superuser; DatabaseRoleTests run the same script"),
        "mpirun --hostfile machines -n 8 freshet train": .not("needs several machines"),
    ]

    /// Options of other programs that pages name.
    static let optionsOfOthers = ["--static-swift-stdlib": "swift build", "--traits": "swift build"]

    /// What pages name although it does not exist, and why.
    static let promised = ["freshet experiments": "README says that it is not there yet"]
}

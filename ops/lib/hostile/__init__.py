"""What `ops/soak hostile` does: servers and roles, a stream and honest clients, disturbances, a judgement. Python's standard library only.

run.py            the run from its first directory to its last sentence
servers.py        PostgreSQL, the broker, the roles as processes; small file systems that can be filled
proxy.py          what stands between a role and PostgreSQL, and can cut or silence it
stream.py         a process: records over Kafka and over HTTP, each acknowledged once
clients.py        a process: honest clients at a fixed rate, every answer written down
web.py            HTTP/1.1 with kept connections, as a careful client speaks it
attacks.py        what is done to the service over HTTP
faults.py         what is done to its database, broker, disks, clock, models and users
plan.py           which disturbance comes when, by a seed
watch.py          memory, log lines, /readyz, /v1/stats and /metrics over time
compare.py        the tables of the disturbed and of the undisturbed database
judge.py          what must hold, as rows with what was seen
page.py           the same for the eyes: plots of memory and latency
"""

# shellcheck shell=bash
# A private PostgreSQL and an embedded Kafka broker whose files are under one directory.
# Needs common.sh, packages.sh (postgres_programs), toolchain.sh (freshet_program) and processes.sh.
#
# DIR/postgres        the cluster, or a link to it where PostgreSQL's user cannot reach DIR
# DIR/password        of the database user freshet, readable by the owner only
# DIR/environment     the export line; exists while both servers answer
# DIR/supervisor      number and identity of the process that holds both; see supervise
# DIR/foreign-offsets  how many clusters, all of them gone, the database holds offsets of; written at each start with a broker
# DIR/*.log           what the servers said
# shellcheck disable=SC2154  # ops_lib comes from common.sh

# Starting a cluster after a crash replays its log first, so the patience is longer than a start takes.
start_limit_seconds=120
stop_limit_seconds=30

# Runs a command as the user that PostgreSQL will run as: initdb and postgres refuse root.
as_database_user() {
  if [ "$(id -u)" -eq 0 ]; then
    (cd / && exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$@")
  else
    "$@"
  fi
}

# Prints the number of the running supervisor of a directory, or fails. A file left by a dead one is no obstacle: its
# identity fits no living process.
supervisor_of() {
  local pid identity
  { read -r pid identity <"$1/supervisor"; } 2>/dev/null || return 1
  is_same_process "$pid" "$identity" || return 1
  printf '%s\n' "$pid"
}

# Asks a supervisor to stop its servers and waits; what does not end in time is killed.
stop_supervisor() {
  local deadline=$((SECONDS + stop_limit_seconds + 5))
  kill -TERM "$1" 2>/dev/null || true
  while kill -0 "$1" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.1; done
  end_session "$1" 5
}

# Makes the cluster's directory where PostgreSQL's user can reach it, and prints its path.
place_cluster() {
  local directory=$1 cluster=$1/postgres outside
  if [ ! -e "$cluster" ]; then
    rm -f "$cluster"
    mkdir "$cluster"
    chmod 700 "$cluster"
    if [ "$(id -u)" -eq 0 ]; then
      id postgres >/dev/null 2>&1 || fail "PostgreSQL does not run as root, and there is no user postgres to run it as; create one, or run this as an ordinary user"
      chown postgres: "$cluster"
      if ! as_database_user test -w "$cluster" 2>/dev/null; then
        rmdir "$cluster"
        outside=$(mktemp -d "/var/tmp/freshet-postgres-XXXXXX")
        chown postgres: "$outside"
        ln -s "$outside" "$cluster"
      fi
    fi
  fi
  readlink -f "$cluster"
}

# Creates the cluster once: one superuser, freshet, with a random password; no other way in.
create_cluster() {
  local directory=$1 cluster=$2 programs=$3 password
  [ ! -s "$cluster/data/PG_VERSION" ] || return 0
  rm -rf "$cluster/data"
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077 && printf '%s\n' "$password" >"$directory/password" && printf '%s\n' "$password" >"$cluster/password")
  [ "$(id -u)" -ne 0 ] || chown postgres: "$cluster/password"
  as_database_user "$programs/initdb" -D "$cluster/data" -U freshet --pwfile="$cluster/password" -A scram-sha-256 \
    --encoding=UTF8 --no-locale >"$directory/initdb.log" 2>&1 ||
    fail "initdb failed: $(tail -n 3 "$directory/initdb.log" | tr '\n' ' ')"
  rm -f "$cluster/password"
}

# start_servers DIR WITH_BROKER(yes|no) TEMPORARY(yes|no): starts what is not running and waits until it answers.
# A temporary directory is called NAME-PID and belongs to this script, which must not have made it yet: when the script
# ends, the servers end and the directory is deleted, with all that the script put into it.
start_servers() {
  local directory=$1 with_broker=$2 temporary=$3 programs cluster owner='' identity='' supervisor deadline freshet=''
  [ "$temporary" = no ] || sweep_temporary_servers "${directory%-*}"
  mkdir -p "$directory" || fail "cannot create the directory $directory"
  exec 9>"$directory/lock"
  flock -w "$start_limit_seconds" 9 || fail "another start or stop in $directory did not finish within $start_limit_seconds s"
  if supervisor_of "$directory" >/dev/null && [ -s "$directory/environment" ]; then
    say "the servers in $directory are running already"
    exec 9>&-
    return 0
  fi
  if supervisor=$(supervisor_of "$directory"); then
    stop_supervisor "$supervisor"
  fi
  rm -f "$directory/environment" "$directory/supervisor"
  programs=$(postgres_programs)
  [ -n "$programs" ] || fail "there are no PostgreSQL server programs; install the package postgresql"
  if [ "$with_broker" = yes ]; then freshet=$(freshet_program); fi
  cluster=$(place_cluster "$directory")
  create_cluster "$directory" "$cluster" "$programs"
  if [ "$temporary" = yes ]; then
    owner=$$
    identity=$(process_identity $$)
  fi
  setsid -- "$ops_lib/supervise" "$directory" "$programs" "$freshet" "$owner" "$identity" \
    </dev/null >"$directory/supervisor.log" 2>&1 9>&- &
  supervisor=$!
  printf '%s %s\n' "$supervisor" "$(process_identity "$supervisor")" >"$directory/supervisor"
  deadline=$((SECONDS + start_limit_seconds + 10))
  while [ ! -s "$directory/environment" ]; do
    kill -0 "$supervisor" 2>/dev/null ||
      fail "the servers did not start: $(tail -n 4 "$directory/supervisor.log" | tr '\n' ' ')"
    if [ "$SECONDS" -ge "$deadline" ]; then
      stop_supervisor "$supervisor"
      fail "the servers did not answer within $start_limit_seconds s; see $directory/*.log"
    fi
    sleep 0.1
  done
  if [ "$with_broker" = yes ] && [ "$(cat "$directory/foreign-offsets")" != 0 ]; then
    say "the broker is new and empty, but the database in $directory was filled from an earlier one: freshet ingest will refuse the" \
      "new one. Start it once as: freshet ingest --accept-new-cluster (what is stored stays), or begin anew: ops/servers remove $directory"
  fi
  exec 9>&-
}

# Stops the servers of a directory; no error where none run. Their files stay.
stop_servers() {
  local directory=$1 supervisor
  [ -d "$directory" ] || return 0
  if supervisor=$(supervisor_of "$directory"); then
    stop_supervisor "$supervisor"
  fi
  rm -f "$directory/supervisor" "$directory/environment"
}

# Deletes a directory that start_servers made, with a cluster that lies elsewhere; nothing else.
remove_servers() {
  local directory=$1 cluster
  stop_servers "$directory"
  [ -e "$directory/lock" ] || return 0
  if [ -L "$directory/postgres" ]; then
    cluster=$(readlink -f "$directory/postgres")
    case $cluster in
      /var/tmp/freshet-postgres-*) rm -rf "$cluster" ;;
    esac
  fi
  rm -rf "$directory/postgres"
  rm -f "$directory"/{lock,password,environment,foreign-offsets,supervisor,initdb.log,postgres.log,broker.log,supervisor.log}
  rmdir "$directory" 2>/dev/null || true
}

# Deletes the temporary directories NAME-PID of scripts that are gone; a machine that lost power leaves such.
sweep_temporary_servers() {
  local left
  for left in "$1"-*; do
    [ -e "$left/lock" ] || continue
    if [ "${left##*-}" = $$ ] || [ ! -d "/proc/${left##*-}" ]; then remove_temporary_servers "$left"; fi
  done
}

# Deletes a temporary directory with everything in it.
remove_temporary_servers() {
  [ -d "$1" ] || return 0
  remove_servers "$1"
  rm -rf "$1"
}

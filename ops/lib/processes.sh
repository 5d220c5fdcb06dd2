# shellcheck shell=bash
# Processes that must not outlive the script that owns them, even when that script is killed with SIGKILL.
#
# What we start gets a session of its own, so that all of it, grandchildren included, is found again by the session's
# number: process groups are not enough, since programs that start others often give each a group of its own.
# Needs common.sh and Linux's /proc.
# shellcheck disable=SC2154  # ops_lib comes from common.sh

# Prints what tells a process from a later one with the same number: the boot and the start time in clock ticks.
process_identity() {
  local stat boot
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
  read -r boot </proc/sys/kernel/random/boot_id
  # The name in parentheses may hold spaces and parentheses: everything after the last one is plain fields.
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ "$1" != Z ] || return 1
  printf '%s/%s\n' "$boot" "${20}"
}

# is_same_process PID IDENTITY: whether that very process still runs.
is_same_process() {
  [ "$(process_identity "$1")" = "$2" ]
}

# Prints the numbers of the processes in a session; zombies are left out.
session_members() {
  local session=$1 file stat
  for file in /proc/[0-9]*/stat; do
    { read -r stat <"$file"; } 2>/dev/null || continue
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    if [ "$4" = "$session" ] && [ "$1" != Z ]; then
      file=${file#/proc/}
      printf '%s\n' "${file%/stat}"
    fi
  done
}

# end_session SESSION SECONDS: asks every process of the session to end, and kills what is left after the time.
end_session() {
  local session=$1 deadline=$((SECONDS + $2)) members
  mapfile -t members < <(session_members "$session")
  [ "${#members[@]}" -gt 0 ] || return 0
  kill -TERM "${members[@]}" 2>/dev/null || true
  while [ "$SECONDS" -lt "$deadline" ]; do
    sleep 0.1
    mapfile -t members < <(session_members "$session")
    [ "${#members[@]}" -gt 0 ] || return 0
  done
  # New members may be born while we kill: again until none is left.
  while [ "${#members[@]}" -gt 0 ]; do
    kill -KILL "${members[@]}" 2>/dev/null || true
    sleep 0.1
    mapfile -t members < <(session_members "$session")
  done
}

# run_owned COMMAND...: runs a command in a session of its own that ends with this script, however this script ends.
# `owned_session` holds the session while it runs, for the script's own trap.
owned_session=
grace_seconds=2
run_owned() {
  local status=0
  setsid -- "$@" </dev/null &
  owned_session=$!
  setsid -- "$ops_lib/watchdog" $$ "$(process_identity $$)" "$owned_session" </dev/null >/dev/null 2>&1 &
  wait "$owned_session" || status=$?
  end_session "$owned_session" "$grace_seconds"
  owned_session=
  return "$status"
}

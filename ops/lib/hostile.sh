# shellcheck shell=bash
# Prepares what `ops/soak hostile` needs and starts it; what it does is in hostile/. Needs all.sh.
# shellcheck disable=SC2154  # ops_lib comes from common.sh

# run_hostile OUTPUT ARGUMENT...: status 0 where everything held.
run_hostile() {
  local output=$1 folder status=0
  shift
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' || fail "python3 3.9 or newer is needed"
  debian_packages+=(libfaketime)
  prepare_freshet
  mkdir -p "$output" || fail "cannot create the folder $output"
  [ -z "$(ls -A "$output")" ] || fail "the folder $output is not empty"
  # PostgreSQL's user must reach it, wherever the checkout lies.
  folder=$(mktemp -d /var/tmp/freshet-hostile-XXXXXX)
  chmod 755 "$folder"
  [ "$(id -u)" -eq 0 ] ||
    say "without root no file system can be made that fills up: those disturbances are left out and count as a shortfall"
  # Small file systems are mounted in a name space of the run's own, and are gone with it however it ends.
  local alone=()
  if [ "$(id -u)" -eq 0 ] && unshare --mount true 2>/dev/null; then alone=(unshare --mount --propagation private --); fi
  hostile_folder=$folder
  trap 'rm -rf "$hostile_folder"' EXIT
  PYTHONPATH=$ops_lib "${alone[@]}" python3 -B -m hostile.run --folder "$folder" --output "$output" \
    --program "$(absolute "$(freshet_program)")" --postgres "$(postgres_programs)" "$@" || status=$?
  say "logs, figures, report.txt and report.html are in $output"
  return "$status"
}

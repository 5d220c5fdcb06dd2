# shellcheck shell=bash
# What every script in ops/ shares: where the checkout is, how a sentence is said, how a phase is timed.
# Sourced after `set -euo pipefail`.
# shellcheck disable=SC2034  # used by the scripts that source this

ops_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$ops_lib/../.." && pwd)
program=ops/$(basename "$0")

# A wrong setting costs a factor of two to four in matrix products; the library knows the processor best.
unset OPENBLAS_CORETYPE

# Everything that is not a result goes to standard error, so that results can be piped and evaluated.
say() {
  printf '%s: %s\n' "$program" "$*" >&2
}

# Ends the script with one sentence and status 1.
fail() {
  say "$*"
  exit 1
}

# Ends the script with one sentence and status 64, for wrong usage.
usage_error() {
  say "$*"
  exit 64
}

# Prints the path made absolute, seen from the directory the caller stood in; the file need not exist.
absolute() {
  case $1 in
    /*) printf '%s\n' "$1" ;;
    *) printf '%s/%s\n' "$PWD" "$1" ;;
  esac
}

# phase NAME COMMAND...: runs the command and says how long it took; its standard output stays what it is.
phase() {
  local name=$1 started=$SECONDS
  shift
  "$@"
  say "$name: $((SECONDS - started)) s"
}

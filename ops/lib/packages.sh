# shellcheck shell=bash
# Installs what Debian has and Freshet needs: only what is missing, as root or through sudo, without questions.
# Needs common.sh.

# What building and running needs. g++ brings the libstdc++, libgomp and C headers that linking needs; the last line
# is what the Swift toolchain itself is linked against.
debian_packages=(
  librdkafka-dev libfaiss-dev libopenblas-dev libpq-dev zlib1g-dev
  pkg-config g++ git ca-certificates tzdata util-linux
  libcurl4 libedit2 libncurses6 libsqlite3-0 libxml2
)

# What only tests need: trainings of several processes. ops/test adds it.
# shellcheck disable=SC2034
test_packages=(openmpi-bin)

is_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Prints the directory of the newest PostgreSQL server programs, or nothing.
postgres_programs() {
  local found
  found=$(find /usr/lib/postgresql/*/bin -maxdepth 1 -name initdb 2>/dev/null | sort -V | tail -n 1)
  if [ -z "$found" ] && command -v pg_config >/dev/null; then
    found=$(pg_config --bindir 2>/dev/null)/initdb
    [ -x "$found" ] || found=
  fi
  [ -z "$found" ] || dirname "$found"
}

missing_packages() {
  local package
  for package in "${debian_packages[@]}"; do
    is_installed "$package" || printf '%s\n' "$package"
  done
  [ -n "$(postgres_programs)" ] || printf '%s\n' postgresql
}

# Runs a command as root, directly or through sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo -- "$@"
  else
    sudo -n -- "$@"
  fi
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >&2
}

# Debian's package would start a database cluster of its own, and a service with it. A file that stands only while we
# install says no; the configuration of the machine stays as it was.
createcluster_file=/etc/postgresql-common/createcluster.d/freshet-install.conf

forbid_main_cluster() {
  as_root mkdir -p "${createcluster_file%/*}"
  printf 'create_main_cluster = false\n' | as_root tee "$createcluster_file" >/dev/null
}

install_packages() {
  local missing=() package needs_update='' status=0
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    say "this is not Debian or Ubuntu: install the equivalents of ${debian_packages[*]} and PostgreSQL 13 or newer yourself; going on"
    return 0
  fi
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -gt 0 ] || return 0
  say "installing ${missing[*]}"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      fail "packages are missing and there is no sudo; run as root: apt-get install ${missing[*]}"
    [ -t 0 ] || sudo -n true 2>/dev/null ||
      fail "packages are missing and sudo asks for a password, which nobody can type here; run as root: apt-get install ${missing[*]}"
  fi
  for package in "${missing[@]}"; do
    LC_ALL=C apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [^(]' || needs_update=yes
  done
  if [ -n "$needs_update" ]; then
    apt update || fail "apt-get update failed; is the network reachable, and are the sources in /etc/apt right?"
  fi
  case " ${missing[*]} " in
    *' postgresql '*) forbid_main_cluster ;;
  esac
  # A package list that is older than the archive names files that are gone: then once more with a new list.
  apt install --no-install-recommends "${missing[@]}" ||
    { apt update && apt install --no-install-recommends "${missing[@]}"; } || status=$?
  as_root rm -f "$createcluster_file"
  [ "$status" -eq 0 ] || fail "apt-get could not install ${missing[*]}; its own words are above"
}

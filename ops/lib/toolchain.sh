# shellcheck shell=bash
# Finds the Swift toolchain and builds with it. Needs common.sh.
# shellcheck disable=SC2154  # root comes from common.sh

minimum_swift=6.2

# Puts a Swift compiler of the minimum version or newer on PATH, or ends the script with a sentence.
require_swift() {
  local directory version=''
  for directory in '' /opt/swift/usr/bin /usr/local/swift/usr/bin /usr/share/swift/usr/bin "${HOME:-/nonexistent}/.local/share/swiftly/bin"; do
    if [ -z "$directory" ]; then
      command -v swift >/dev/null || continue
    else
      [ -x "$directory/swift" ] || continue
      PATH=$directory:$PATH
      export PATH
    fi
    version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+(\.[0-9]+)*).*/\1/p' | head -n 1)
    if [ -n "$version" ] && [ "$(printf '%s\n%s\n' "$minimum_swift" "$version" | sort -V | head -n 1)" = "$minimum_swift" ]; then
      return 0
    fi
  done
  if [ -n "$version" ]; then
    fail "Swift $version is too old, $minimum_swift or newer is needed; get it from https://www.swift.org/install/linux/ and put its usr/bin on PATH"
  fi
  fail "there is no Swift toolchain on PATH or in /opt/swift; get Swift $minimum_swift or newer from https://www.swift.org/install/linux/ and put its usr/bin on PATH"
}

# build_progress: passes on what the compiler says, and in place of its line for each step shows how far the build is: one line that
# rewrites itself on a terminal, a sentence every ten seconds elsewhere.
build_progress() {
  local line done_steps all_steps said=$SECONDS terminal=no
  [ ! -t 2 ] || terminal=yes
  while IFS= read -r line || [ -n "$line" ]; do
    if [[ $line =~ ^\[([0-9]+)/([0-9]+)\]\ (.*)$ ]]; then
      done_steps=${BASH_REMATCH[1]} all_steps=${BASH_REMATCH[2]}
      if [ "$terminal" = yes ]; then
        printf '\r\033[2K[%s/%s] %.60s' "$done_steps" "$all_steps" "${BASH_REMATCH[3]}" >&2
      elif [ $((SECONDS - said)) -ge 10 ] || [ "$done_steps" -eq "$all_steps" ]; then
        said=$SECONDS
        say "build: step $done_steps of $all_steps ($((100 * done_steps / (all_steps > 0 ? all_steps : 1))) %)"
      fi
    else
      [ "$terminal" = no ] || printf '\r\033[2K' >&2
      printf '%s\n' "$line" >&2
    fi
  done
  [ "$terminal" = no ] || printf '\r\033[2K' >&2
}

# swift_build ARGUMENT...: a release build of this checkout. Its progress goes to standard error.
swift_build() {
  [ -w "$root" ] || fail "cannot write to $root, where the build folder .build belongs; run as the owner of the checkout ($(stat -c %U "$root"))"
  swift build --package-path "$root" -c release "$@" 2>&1 | build_progress ||
    fail "the build failed; the compiler's words are above (a build folder of another toolchain is cleared with: rm -rf $root/.build)"
}

build_release() {
  swift_build --product freshet
}

# Prints the path of the freshet program: FRESHET_BINARY where set, else what the last release build made.
freshet_program() {
  local program_path=${FRESHET_BINARY:-$root/.build/release/freshet}
  [ -x "$program_path" ] || fail "there is no program at $program_path; build it with: swift build -c release --product freshet"
  printf '%s\n' "$program_path"
}

# Installs and builds what a script needs to run freshet, unless FRESHET_BINARY names a ready one.
prepare_freshet() {
  phase 'packages' install_packages
  if [ -z "${FRESHET_BINARY:-}" ]; then
    require_swift
    phase 'build' build_release
  fi
}

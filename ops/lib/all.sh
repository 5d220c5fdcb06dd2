# shellcheck shell=bash
# Everything a script in ops/ may use, in the order in which the parts need each other.
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
# shellcheck source=packages.sh
. "$ops_lib/packages.sh"
# shellcheck source=toolchain.sh
. "$ops_lib/toolchain.sh"
# shellcheck source=processes.sh
. "$ops_lib/processes.sh"
# shellcheck source=servers.sh
. "$ops_lib/servers.sh"

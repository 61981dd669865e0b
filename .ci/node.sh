# Node for the checks that need it. Sourced; `node_ready` puts a new enough Node first on PATH, `node_modules_ready`
# installs what the package in the current directory locks, once.

NODE_MAJOR=22
NODE_TOOLS="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/target/ci-tools"

node_is_new_enough() {
    local major
    major=$(node --version 2>/dev/null | sed -n 's/^v\([0-9]*\)\..*/\1/p')
    [ "${major:-0}" -ge "$NODE_MAJOR" ]
}

node_ready() {
    node_is_new_enough && return 0
    export PATH="$NODE_TOOLS/node/node_modules/.bin:$PATH"
    hash -r
    node_is_new_enough && return 0
    if ! command -v npm >/dev/null; then
        # Debian's Node is too old for the checks and good enough to fetch a newer one with.
        [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || {
            echo "npm is needed: install Node $NODE_MAJOR or newer" >&2
            return 1
        }
        apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends npm >/dev/null
    fi
    mkdir -p "$NODE_TOOLS/node"
    [ -e "$NODE_TOOLS/node/package.json" ] || echo '{"private":true}' >"$NODE_TOOLS/node/package.json"
    npm install --prefix "$NODE_TOOLS/node" --no-audit --no-fund --loglevel=error "node@$NODE_MAJOR" >/dev/null
    hash -r
    node_is_new_enough || {
        echo "Node $NODE_MAJOR could not be installed" >&2
        return 1
    }
}

node_modules_ready() {
    [ -e node_modules/.locked ] && cmp -s package-lock.json node_modules/.locked && return 0
    npm ci --no-audit --no-fund --loglevel=error >/dev/null && cp package-lock.json node_modules/.locked
}

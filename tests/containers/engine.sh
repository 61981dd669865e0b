# Gets a container engine: the machine's own if it answers, else one from Debian's packages that lives in a place of
# its own and leaves nothing behind. Sourced by `run`.
#
#   engine_start   sets DOCKER_HOST and DOCKER_CONFIG as needed, or returns 1 with the reason in ENGINE_ABSENT
#   engine_stop    stops what engine_start started, and only that
#   ENGINE_OWN     1 if the engine is ours: then public images cannot be assumed, and stand-ins may be imported

ENGINE_OWN=0
ENGINE_ABSENT=''
ENGINE_PLACE="$ROOT/target/containers"
# Compose v2 and buildx: Debian has them from this release on; they run on older ones too.
PLUGINS_RELEASE=trixie

engine_start() {
    if docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1; then
        return 0
    fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        ENGINE_ABSENT='no engine answers here, and installing one takes root on Debian'
        return 1
    fi
    ENGINE_RUN=$(mktemp -d)
    mkdir -p "$ENGINE_PLACE"
    engine_packages && engine_plugins && engine_daemon
}

engine_packages() {
    local tool missing=0
    for tool in dockerd docker iptables ip debootstrap curl; do command -v "$tool" >/dev/null || missing=1; done
    [ "$missing" = 0 ] && return 0
    local packages=(docker.io iptables debootstrap iproute2 curl)
    if ! (
        apt-get -qq update || exit
        # Newer releases have the client in a package of its own.
        apt-cache show docker-cli >/dev/null 2>&1 && packages+=(docker-cli)
        DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "${packages[@]}"
    ) >"$ENGINE_RUN/apt.log" 2>&1; then
        ENGINE_ABSENT="the engine's packages did not install: $(tail -n 1 "$ENGINE_RUN/apt.log")"
        return 1
    fi
    # The package may start a daemon of its own where something runs services; ours is the only one wanted here.
    command -v systemctl >/dev/null && systemctl stop docker.service docker.socket >/dev/null 2>&1
    return 0
}

# The mirror that this machine takes Debian's packages from.
engine_mirror() {
    apt-get indextargets --format '$(SITE)' 'Component: main' 'Created-By: Packages' 2>/dev/null |
        grep -v security | grep -m 1 debian
}

engine_plugins() {
    local plugins="$ENGINE_PLACE/cli-plugins" apt="$ENGINE_RUN/plugins"
    if [ ! -x "$plugins/docker-compose" ] || [ ! -x "$plugins/docker-buildx" ]; then
        mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/unpacked" "$plugins"
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(engine_mirror) $PLUGINS_RELEASE main" \
            >"$apt/sources.list"
        local options=(-o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$apt/lists"
            -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
        if ! (cd "$apt" && apt-get "${options[@]}" -qq update &&
            apt-get "${options[@]}" -qq download docker-compose docker-buildx) >"$ENGINE_RUN/apt.log" 2>&1; then
            ENGINE_ABSENT="compose and buildx could not be had: $(tail -n 1 "$ENGINE_RUN/apt.log")"
            return 1
        fi
        local package
        for package in "$apt"/*.deb; do dpkg -x "$package" "$apt/unpacked"; done
        find "$apt/unpacked" -path '*/cli-plugins/*' -type f -exec cp {} "$plugins/" \;
    fi
    export DOCKER_CONFIG="$ENGINE_RUN/config"
    mkdir -p "$DOCKER_CONFIG"
    ln -sfn "$plugins" "$DOCKER_CONFIG/cli-plugins"
}

engine_daemon() {
    # What the daemon changes on the host: firewall rules, forwarding, a bridge. Kept to be put back.
    engine_firewall >"$ENGINE_RUN/iptables.before"
    cat /proc/sys/net/ipv4/ip_forward >"$ENGINE_RUN/forward.before"
    ip link show docker0 >/dev/null 2>&1 && touch "$ENGINE_RUN/bridge.before"

    # Sockets in a short path: the kernel takes no more than 107 characters.
    export DOCKER_HOST="unix://$ENGINE_RUN/docker.sock"
    dockerd --host "$DOCKER_HOST" --data-root "$ENGINE_PLACE/data" --exec-root "$ENGINE_RUN/exec" \
        --pidfile "$ENGINE_RUN/docker.pid" >"$ENGINE_RUN/dockerd.log" 2>&1 &
    ENGINE_PID=$!
    ENGINE_OWN=1
    local tries
    for tries in $(seq 60); do
        docker info >/dev/null 2>&1 && return 0
        kill -0 "$ENGINE_PID" 2>/dev/null || break
        sleep 0.5
    done
    ENGINE_ABSENT="the engine did not start (after $tries tries): $(tail -n 1 "$ENGINE_RUN/dockerd.log")"
    engine_stop
    return 1
}

# The firewall's rules; for a table that does not exist yet, what it is without any.
engine_firewall() {
    local rules
    rules=$(iptables-save 2>/dev/null)
    echo "$rules"
    case $rules in *'*filter'*) ;; *) printf '%s\n' '*filter' ':INPUT ACCEPT' ':FORWARD ACCEPT' ':OUTPUT ACCEPT' COMMIT ;; esac
    case $rules in *'*nat'*) ;; *) printf '%s\n' '*nat' ':PREROUTING ACCEPT' ':INPUT ACCEPT' ':OUTPUT ACCEPT' ':POSTROUTING ACCEPT' COMMIT ;; esac
}

engine_stop() {
    if [ "$ENGINE_OWN" = 1 ]; then
        kill "$ENGINE_PID" 2>/dev/null
        wait "$ENGINE_PID" 2>/dev/null
        iptables-restore <"$ENGINE_RUN/iptables.before"
        cat "$ENGINE_RUN/forward.before" >/proc/sys/net/ipv4/ip_forward
        [ -e "$ENGINE_RUN/bridge.before" ] || ip link delete docker0 2>/dev/null
        ENGINE_OWN=0
    fi
    if [ -n "${ENGINE_RUN:-}" ]; then
        umount "$ENGINE_RUN"/exec/netns/* 2>/dev/null
        rm -rf "$ENGINE_RUN"
    fi
}

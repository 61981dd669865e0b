# Stand-ins for the Dockerfile's public bases, for an engine that reaches no image registry: made from Debian's packages
# and this machine's Rust, and imported under the public tags, so that the Dockerfile is built as it is shipped.
# Sourced by `run`; imports into an engine of our own only, never into somebody's.

BUILDER_TAG=rust:1.95-bookworm
HAPROXY_TAG=haproxy:3.2-alpine
VALKEY_TAG=valkey/valkey:9-alpine
RUNTIME_TAG=gcr.io/distroless/cc-debian12:nonroot

bases_import() {
    if docker image inspect "$BUILDER_TAG" "$RUNTIME_TAG" >/dev/null 2>&1; then
        return 0
    fi
    local place="$ENGINE_PLACE/bases"
    rm -rf "$place"
    mkdir -p "$place"
    bases_builder "$place/builder" && bases_runtime "$place/builder" "$place/runtime" || return 1
    rm -rf "$place"
}

# What the compose file of deploy/ takes from others, from Debian's packages: HAProxy, and Redis under Valkey's name.
bases_team() {
    docker image inspect "$HAPROXY_TAG" "$VALKEY_TAG" >/dev/null 2>&1 && return 0
    local install='RUN apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends'
    printf '%s\n' "FROM $BUILDER_TAG" "$install haproxy" \
        'CMD ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]' | docker build --quiet --tag "$HAPROXY_TAG" - &&
        printf '%s\n' "FROM $BUILDER_TAG" "$install redis-server" \
            'RUN for one in server cli; do ln -s /usr/bin/redis-$one /usr/local/bin/valkey-$one; done' | docker build --quiet --tag "$VALKEY_TAG" -
}

# What the official image has as far as a build uses it: Debian with a C toolchain and certificates, and Rust.
# The certificates are this machine's, so that builds reach the registry the way this machine does.
bases_builder() {
    local root=$1 sysroot
    debootstrap --variant=minbase --include=ca-certificates,gcc,g++,libc6-dev,make,perl-base,tzdata \
        bookworm "$root" "$(engine_mirror)" >"$ENGINE_RUN/debootstrap.log" 2>&1 || {
        tail -n 5 "$ENGINE_RUN/debootstrap.log" >&2
        return 1
    }
    sysroot=$(rustc --print sysroot)
    cp -a "$sysroot/bin/cargo" "$sysroot/bin/rustc" "$root/usr/local/bin/" && cp -a "$sysroot/lib" "$root/usr/local/" || return 1
    [ -r /etc/ssl/certs/ca-certificates.crt ] && cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    local settings="${CARGO_HOME:-$HOME/.cargo}/config.toml"
    mkdir -p "$root/usr/local/cargo"
    [ -r "$settings" ] && cp "$settings" "$root/usr/local/cargo/config.toml"
    tar -C "$root" -c --exclude=./var/cache/apt/archives . |
        docker import --change 'ENV CARGO_HOME=/usr/local/cargo' --change 'CMD ["bash"]' - "$BUILDER_TAG" >/dev/null
}

# The runtime base: the C library and its companions, time zones, certificates, a user, and nothing that could be run.
bases_runtime() {
    local packages="$1/var/cache/apt/archives" root=$2 name package
    mkdir -p "$root"
    for name in base-files libc6 libgcc-s1 libgomp1 libstdc++6 tzdata; do
        for package in "$packages/${name}"_*.deb; do dpkg -x "$package" "$root" || return 1; done
    done
    mkdir -p "$root/etc/ssl/certs" "$root/home/nonroot"
    chown 65532:65532 "$root/home/nonroot"
    cp "$1/etc/ssl/certs/ca-certificates.crt" "$root/etc/ssl/certs/"
    printf '%s\n' root:x:0:0:root:/root:/sbin/nologin nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin >"$root/etc/passwd"
    tar -C "$root" -c . |
        docker import --change 'USER 65532' --change 'WORKDIR /home/nonroot' \
            --change 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' - "$RUNTIME_TAG" >/dev/null
}

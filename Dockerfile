# One image for any server of the suite:
#
#     docker build --build-arg SERVER=linear --tag linear-mcp .
#
# Run it as an MCP client does, on stdio:      docker run --rm -i -e LINEAR_API_KEY linear-mcp
# Run it as a service, over streamable HTTP:   see compose.yaml
#
# Both bases come through arguments, so that a mirror or a pinned digest needs no edit here. The runtime base brings the
# C library and the CA certificates, and has no shell.
ARG BUILDER=rust:1.95-bookworm
ARG RUNTIME=gcr.io/distroless/cc-debian12:nonroot
# Where the program comes from: this file's own build, or an image that holds all of them, so that many images are surely
# made of one build: `docker build --target built --tag built-programs .`, then `--build-arg PROGRAMS=built-programs`.
ARG PROGRAMS=built

# The workspace with every source emptied: what decides which dependencies are built, and how. Its content stays the
# same when only code changes, so the next stage is then taken from the cache.
FROM ${BUILDER} AS manifests
WORKDIR /build
COPY . .
RUN find . -name '*.rs' -path '*/src/*' ! -path '*/src/lib.rs' ! -path '*/src/main.rs' ! -path '*/src/bin/*' -delete \
    && find . -name '*.rs' -exec sh -c 'for file; do echo "fn main() { }" > "$file"; done' sh {} + \
    && find . -type f ! -name '*.rs' ! -name Cargo.toml ! -name Cargo.lock -delete \
    && find . -type d -empty -delete \
    && find . -exec touch --date=@0 {} +

# Of all servers at once: the layer is then the same for each of them, and made once.
FROM ${BUILDER} AS dependencies
WORKDIR /build
COPY --from=manifests /build .
# `--build-arg PROFILE=quick-release` is for those who try images out: the same code without whole-program optimisation.
ARG PROFILE=release
RUN cargo build --locked --profile "$PROFILE" --workspace --exclude suite --exclude template-mcp

# All servers too: the image of one more server costs no build.
# Cargo compares times, and a checkout may be older than the layer above: touched sources are always built.
FROM dependencies AS build
ARG PROFILE=release
COPY . .
RUN find . -path ./target -prune -o -name '*.rs' -exec touch {} + \
    && cargo build --locked --profile "$PROFILE" --workspace --exclude suite --exclude template-mcp --bins \
    && for server in servers/*/; do \
        server=$(basename "$server"); \
        [ "$server" != template ] || continue; \
        install -D "target/$PROFILE/$server-mcp" "/out/$server/mcp-server" || exit 1; \
    done

FROM scratch AS built
COPY --from=build /out /out

FROM ${PROGRAMS} AS programs

FROM ${RUNTIME}
# Which server: `--build-arg SERVER=linear`. There is no default, and without it there is nothing to copy.
ARG SERVER
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="${SERVER}-mcp" \
      org.opencontainers.image.description="MCP server for ${SERVER}: stdio and streamable HTTP" \
      org.opencontainers.image.source="https://github.com/connector-suite/connectors" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      io.modelcontextprotocol.server.name="io.github.connector-suite/${SERVER}-mcp"
# The same path in every image: the exec forms below know no build arguments.
COPY --from=programs /out/${SERVER}/mcp-server /usr/local/bin/mcp-server
USER 65532:65532
EXPOSE 8080
# There is no shell in here; the server asks itself at the address that it was told to listen on.
HEALTHCHECK --interval=15s --timeout=3s --start-period=5s --retries=3 CMD ["/usr/local/bin/mcp-server", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/mcp-server"]

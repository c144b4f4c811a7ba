# syntax=docker/dockerfile:1

# The binary holds everything that it needs: the catalog, the migrations, the time zones, the pages.
FROM rust:1-bookworm AS builder
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY benches benches
COPY catalog catalog
COPY migrations migrations
COPY openapi openapi
COPY src src
RUN cargo build --profile dist --locked --bin farthing

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="Farthing" \
      org.opencontainers.image.description="What an AI model costs, to the last farthing: exact, dated quotes with every figure's source." \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="0.1.0"
RUN groupadd --system --gid 10001 farthing \
    && useradd --system --uid 10001 --gid farthing --home-dir /data --no-create-home --shell /usr/sbin/nologin farthing \
    && install --directory --owner=farthing --group=farthing --mode=0750 /data
COPY --from=builder /src/target/dist/farthing /usr/local/bin/farthing
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/farthing/

# By number, so that an orchestrator can see that it is not root.
USER 10001:10001
WORKDIR /data
VOLUME /data
ENV FARTHING_LISTEN=0.0.0.0:8080 \
    FARTHING_DATABASE_URL=sqlite:///data/farthing.db
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["farthing", "health"]
ENTRYPOINT ["farthing"]
CMD ["serve"]

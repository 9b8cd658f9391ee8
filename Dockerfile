# Two images of one static binary:
#   docker build -t canary-judge .                      git on board, for the revert
#   docker build -t canary-judge:slim --target slim .   nothing but the binary
# Neither sets USER: GitHub runs docker actions as root, and the workspace and the
# output files are root's there. Elsewhere, use docker run --user.
ARG GO_VERSION=1.26
FROM --platform=${BUILDPLATFORM:-linux/amd64} golang:${GO_VERSION}-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates tzdata \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
ARG VERSION
RUN CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} go build -trimpath \
      -ldflags "-s -w -X main.version=${VERSION}" -o /out/canary-judge ./cmd/canary-judge

FROM scratch AS slim
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/share/zoneinfo /usr/share/zoneinfo
COPY --from=build /out/canary-judge /canary-judge
ENTRYPOINT ["/canary-judge"]

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates git openssh-client tzdata \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/canary-judge /usr/local/bin/canary-judge
ENTRYPOINT ["/usr/local/bin/canary-judge"]

# Victim Voice as one static binary on an empty image.
#
#   docker build -t victimvoice .
#
# scripts/check-dockerfile.sh runs the build's own steps where no container
# engine is at hand.

FROM golang:1.26-bookworm AS build
ARG VERSION=dev
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# timetzdata puts the time zones into the binary, which needs Europe/London to
# read police times and to keep to a person's safe hours.
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -tags timetzdata -ldflags "-s -w -X main.version=${VERSION}" -o out/victimvoice .
RUN mkdir -p out/data

# init makes the secrets of docker-compose.yml once; nothing else uses it.
FROM busybox:1.37 AS init
COPY --from=build /src/out/victimvoice /bin/victimvoice
COPY deploy/init.sh /init.sh
ENTRYPOINT ["/bin/sh", "/init.sh"]

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/out/victimvoice /victimvoice
# A volume put here takes over the folder's owner.
COPY --from=build --chown=65532:65532 /src/out/data /data
USER 65532:65532
WORKDIR /data
EXPOSE 8080
ENTRYPOINT ["/victimvoice"]
CMD ["serve"]

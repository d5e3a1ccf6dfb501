FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -o /holdfast ./cmd/holdfast

FROM debian:12-slim
RUN useradd --system --home /data holdfast && mkdir /data && chown holdfast /data \
 && apt-get update -qq && apt-get install -y -qq ca-certificates && rm -rf /var/lib/apt/lists/*
COPY --from=build /holdfast /usr/local/bin/holdfast
USER holdfast
VOLUME /data
EXPOSE 5001
ENTRYPOINT ["holdfast"]
CMD ["serve"]

# Echo servers on other libraries, for the benchmarks to compare with: build/peers/NAME.

PEERS := $(BUILD)/peers
PEER_SOURCES := Benchmarks/peers
PEER_PACKAGES := zlib1g-dev libssl-dev libc6-dev gcc g++ libboost-dev libwebsockets-dev nodejs node-ws golang-go \
	golang-github-gorilla-websocket-dev golang-nhooyr-websocket-dev python3 python3-venv
PEER_NAMES := libwebsockets beast ws gorilla nhooyr websockets picows nio-echo
# Libraries that Debian does not have take part where their sources are at hand: GO_SOURCES is a GOPATH with those of gws
# and nbio, RUST_SOURCES a folder with tungstenite and tokio-tungstenite. What these need is Debian's.
GO_SOURCES ?=
RUST_SOURCES ?=
PEER_NAMES += $(if $(GO_SOURCES),gws nbio) $(if $(RUST_SOURCES),tungstenite)
PEER_PACKAGES += $(if $(GO_SOURCES),golang-github-klauspost-compress-dev golang-golang-x-crypto-dev) \
	$(if $(RUST_SOURCES),$(patsubst %,librust-%-dev,tokio futures-util http httparse sha1 utf-8 data-encoding thiserror rand bytes \
	url log byteorder))
BENCH_VENV := $(BUILD)/bench-venv

.PHONY: peers
peers: swift-toolchain
	@Scripts/install-packages $(PEER_PACKAGES)
	@$(MAKE) $(PEER_NAMES:%=$(PEERS)/%)

$(BENCH_VENV)/.installed: Benchmarks/requirements.txt
	python3 -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

$(PEERS)/libwebsockets: $(PEER_SOURCES)/libwebsockets/main.c
	@mkdir -p $(@D)
	$(GCC) -std=c17 -Wall -Wextra -Wno-missing-field-initializers -O2 $< -lwebsockets -o $@

$(PEERS)/beast: $(PEER_SOURCES)/beast/main.cpp
	@mkdir -p $(@D)
	g++ -std=c++17 -Wall -Wextra -O3 -DNDEBUG $< -pthread -lssl -lcrypto -o $@

$(PEERS)/gorilla $(PEERS)/nhooyr $(PEERS)/gws $(PEERS)/nbio: $(PEERS)/%: $(PEER_SOURCES)/%/main.go
	@mkdir -p $(@D)
	cd $(<D) && env GO111MODULE=off GOFLAGS= GOPATH=$(if $(GO_SOURCES),$(abspath $(GO_SOURCES)):)/usr/share/gocode \
		GOCACHE=$(abspath $(PEERS))/go-cache go build -o $(abspath $@)

RUST_REGISTRY := /usr/share/cargo/registry
$(PEERS)/tungstenite: $(PEER_SOURCES)/tungstenite/Cargo.toml $(PEER_SOURCES)/tungstenite/src/main.rs
	@mkdir -p $(@D)/rust
	cp -R $(<D)/. $(@D)/rust
	cargo build --quiet --release --offline --manifest-path $(@D)/rust/Cargo.toml --target-dir $(@D)/rust/target \
		--config 'source.crates-io.replace-with="debian"' --config 'source.debian.directory="$(RUST_REGISTRY)"' \
		$(foreach crate,tungstenite tokio-tungstenite,--config \
		'patch.crates-io.$(crate).path="$(abspath $(RUST_SOURCES))/$(crate)"')
	cp $(@D)/rust/target/release/tungstenite-echo $@

$(PEERS)/ws: $(PEER_SOURCES)/ws/server.js
	@mkdir -p $(@D)
	printf '#!/bin/sh\nNODE_PATH=/usr/share/nodejs exec node %s "$$@"\n' $< > $@
	chmod +x $@

$(PEERS)/websockets $(PEERS)/picows: $(PEERS)/%: $(PEER_SOURCES)/%/server.py $(BENCH_VENV)/.installed
	@mkdir -p $(@D)
	printf '#!/bin/sh\nexec $(BENCH_VENV)/bin/python %s "$$@"\n' $< > $@
	chmod +x $@

$(PEERS)/nio-echo: $(wildcard $(PEER_SOURCES)/nio-echo/*.swift $(PEER_SOURCES)/nio-echo/Sources/nio-echo/*.swift)
	@mkdir -p $(@D)
	swift build -c release --package-path $(PEER_SOURCES)/nio-echo --scratch-path .build-peers
	cp .build-peers/release/nio-echo $@

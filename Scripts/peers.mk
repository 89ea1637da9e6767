# Echo servers on other libraries, for the benchmarks to compare with: build/peers/NAME.

PEERS := $(BUILD)/peers
PEER_SOURCES := Benchmarks/peers
PEER_PACKAGES := zlib1g-dev libssl-dev libc6-dev gcc g++ libboost-dev libwebsockets-dev nodejs node-ws golang-go \
	golang-github-gorilla-websocket-dev python3 python3-venv
PEER_NAMES := libwebsockets beast ws gorilla websockets picows nio-echo
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

$(PEERS)/gorilla: $(PEER_SOURCES)/gorilla/main.go
	@mkdir -p $(@D)
	cd $(<D) && env GO111MODULE=off GOFLAGS= GOPATH=/usr/share/gocode GOCACHE=$(abspath $(PEERS))/go-cache \
		go build -o $(abspath $@)

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

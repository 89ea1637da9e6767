# The WebSocket clients of Tests/Integration/clients that are programs, built offline against Debian's packages.

CLIENTS := $(BUILD)/clients
CLIENT_SOURCES := Tests/Integration/clients
GO := env GO111MODULE=off GOFLAGS= GOPATH=/usr/share/gocode GOCACHE=$(abspath $(CLIENTS))/go-cache go

.PHONY: clients
clients: $(CLIENTS)/go-gorilla $(CLIENTS)/go-nhooyr $(CLIENTS)/libwebsockets

$(CLIENTS)/go-%: $(CLIENT_SOURCES)/go-%/main.go $(CLIENT_SOURCES)/go-pipe/pipe.go
	cd $(<D) && $(GO) build -o $(abspath $@)

$(CLIENTS)/libwebsockets: $(CLIENT_SOURCES)/libwebsockets/main.c
	@mkdir -p $(@D)
	$(GCC) -std=c17 $(C_WARNINGS) -O2 $< -lwebsockets -o $@

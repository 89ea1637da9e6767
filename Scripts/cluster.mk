# Several processes of the chat, which share its room through Redis, behind one port: `make cluster N=4 [PORT=8080]`.
# FRONT=haproxy puts HAProxy in front of processes with ports of their own; REDIS=URL is a Redis that is there already.

N ?= 4
FRONT ?=
REDIS ?=
CLUSTER_PACKAGES := zlib1g-dev $(REDIS_PACKAGES) python3 $(if $(REDIS),,redis-server) $(if $(filter haproxy,$(FRONT)),haproxy)

.PHONY: cluster
cluster: swift-toolchain
	@Scripts/install-packages $(CLUSTER_PACKAGES)
	@test -z "$(filter-out haproxy,$(FRONT))" || { echo "FRONT takes haproxy, not $(FRONT)" >&2; exit 2; }
	swift build $(call swift_package,Examples,.build,-c release) --product cluster
	@Scripts/cluster .build/release/cluster --processes $(N) --port $(PORT) $(if $(REDIS),--redis $(REDIS)) \
		$(if $(FRONT),--haproxy)

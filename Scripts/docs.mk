# The documentation of each Swift module that has a catalogue (Sources/MODULE/MODULE.docc), and of all of them together,
# as a web site: build/docs/site. A warning is an error.

DOCS := $(BUILD)/docs
DOCS_PORT ?= 8000
# JazzySwift first: the others have links into it.
DOCUMENTED := JazzySwift $(filter-out JazzySwift,$(notdir $(basename $(wildcard Sources/*/*.docc))))

.PHONY: docs
docs: swift-toolchain
	@Scripts/install-packages zlib1g-dev $(TLS_PACKAGES) $(REDIS_PACKAGES) libc6-dev
	$(call swift_libraries)
	rm -rf $(DOCS) && mkdir -p $(DOCS)
	@$(foreach module,$(DOCUMENTED),Scripts/document-module $(module) .build/debug $(DOCS) &&) true
	Scripts/check-topics $(DOCUMENTED:%=$(DOCS)/%.doccarchive)
	docc merge $(DOCUMENTED:%=$(DOCS)/%.doccarchive) --synthesized-landing-page-name "Jazzy for Swift" \
		--output-path $(DOCS)/site

# Looks at it: http://localhost:8000/documentation/
.PHONY: serve-docs
serve-docs: docs
	python3 -m http.server --bind 127.0.0.1 --directory $(DOCS)/site $(DOCS_PORT)

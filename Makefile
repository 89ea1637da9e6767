# Jazzy for Swift. `make run` serves the chat page, `make test` passes every test; both install what is missing.

PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= build
CLANG ?= clang
GCC ?= gcc

MAKEFLAGS += --no-builtin-rules

include core.mk

.PHONY: all
all: library

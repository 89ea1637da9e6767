# Jazzy for Swift. `make run` serves the chat page, `make test` passes every test; both install what is missing.

PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= build
CLANG ?= clang
GCC ?= gcc

include Makefile.c

.PHONY: all
all: library

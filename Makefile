# rkt: one non-recursive Makefile.  `make help` lists the targets.
#
# Objects go to $(B)/obj, programs of the user to $(B)/bin, everything else that runs to
# $(B)/lib/rkt, which mirrors the installed tree so that $(B)/bin/rkt finds its stages beside itself.

VERSION := 2.0.0
.DEFAULT_GOAL := all

PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
LIBDIR  ?= $(PREFIX)/lib
MANDIR  ?= $(PREFIX)/share/man
COMPDIR ?= $(PREFIX)/share/bash-completion/completions
DESTDIR ?=

ifeq ($(origin CC),default)
CC      := gcc
endif
PKG     ?= pkg-config
CLANG   ?= clang

# SANITIZE=address,undefined and COVERAGE=1 build in folders of their own; so may you: `make B=build/mine`.
comma := ,
B := build
ifdef SANITIZE
B := build/san-$(subst $(comma),-,$(SANITIZE))
SANFLAGS := -fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=undefined
endif
ifdef COVERAGE
B := build/cov
SANFLAGS := --coverage -DCOVERAGE
endif

WARN := -Wall -Wextra -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wvla -Wundef -Wswitch-enum -Werror
OPTIM := -O2 -g
ifndef SANITIZE
HARDEN := -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
ALL_CPPFLAGS = -D_GNU_SOURCE -Iaci -I. -I$(B)/gen -include aci/base/banned.h $(CPPFLAGS)
ALL_CFLAGS = -std=gnu11 $(OPTIM) $(WARN) -fno-common -fPIE $(HARDEN) $(SANFLAGS) $(CFLAGS)
PLAIN_LDFLAGS = -Wl,-z,relro,-z,now $(LDFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(SANFLAGS) $(LDFLAGS)
# Static programs have a NAME_LINK: $(PLAIN) inside of pods, $(STATIC) beside them, $(HOST_STATIC) elsewhere.  With COVERAGE=1 the
# last two are linked dynamically, to be measured; with SANITIZE= the last, because no runtime of a sanitizer can be static.
PLAIN := -static-pie
STATIC := $(if $(COVERAGE),,$(PLAIN))
HOST_STATIC := $(if $(SANITIZE)$(COVERAGE),,$(PLAIN))

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-6s %s\n'
endif

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all

# ---- sources, floor by floor (arrows point down: rkt -> stage0 -> aci -> aci/base) ----------------
include scripts/sources.mk

objs = $(patsubst %.c,$(B)/obj/%.o,$(1))
# With SANITIZE= or COVERAGE= the static programs are built from objects and archives of their own, below $(APART): without
# a runtime, so that undefined behaviour ends in a trap (SIGILL) and nothing is counted.
APART := $(B)$(if $(SANITIZE)$(COVERAGE),/apart)
# home PROGRAM: where its objects and archives are.
home = $(if $(findstring $(PLAIN),$($(1)_LINK)),$(APART),$(B))

# ---- generic rules --------------------------------------------------------------------------------
# A change of flags rebuilds everything: the stamp is rewritten only when it differs.
FLAGS_NOW := $(CC) $(OPTIM) $(WARN) $(HARDEN) $(SANFLAGS) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(VERSION)
$(B)/flags: FORCE
	@mkdir -p $(@D); echo '$(FLAGS_NOW)' | cmp -s - $@ || echo '$(FLAGS_NOW)' > $@
.PHONY: FORCE

$(B)/gen/version.h: Makefile
	@mkdir -p $(@D); printf '#pragma once\n#define RKT_VERSION "%s"\n' '$(VERSION)' > $@

# compile FOLDER
define compile
$(1)/obj/%.o: %.c $(B)/flags $(B)/gen/version.h
	$$(say) CC $$<
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(ALL_CPPFLAGS) $$(ALL_CFLAGS) -MMD -MP -c -o $$@ $$<
endef
ifneq ($(APART),$(B))
TRAP_UB := $(if $(findstring undefined,$(SANITIZE)),-fsanitize=undefined -fsanitize-undefined-trap-on-error)
$(APART)/obj/%.o: private SANFLAGS := $(TRAP_UB)
endif
$(foreach d,$(sort $(B) $(APART)),$(eval $(call compile,$(d))))

# archive FOLDER,NAME
define archive
$(1)/lib$(2).a: $(patsubst %.c,$(1)/obj/%.o,$($(2)_SRC))
	$$(say) AR $$@
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach d,$(sort $(B) $(APART)),$(foreach a,$(ARCHIVES),$(eval $(call archive,$(d),$(a)))))

# program NAME: NAME_SRC sources, NAME_AR archives, NAME_LIBS libraries, NAME_LINK link flags, NAME_OUT where below $(B).
parts = $(patsubst %.c,$(call home,$(1))/obj/%.o,$($(1)_SRC)) $(foreach a,$($(1)_AR),$(call home,$(1))/lib$(a).a)
define program
$(B)/$($(1)_OUT): $(call parts,$(1))
	$$(say) LD $$@
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $(if $(findstring $(PLAIN),$($(1)_LINK)),$$(PLAIN_LDFLAGS),$$(ALL_LDFLAGS)) $($(1)_LINK) -o $$@ \
		$(call parts,$(1)) $($(1)_LIBS)
endef
$(foreach p,$(PROGRAMS) $(TEST_PROGRAMS),$(eval $(call program,$(p))))
PROGRAM_FILES := $(foreach p,$(PROGRAMS),$(B)/$($(p)_OUT))
TEST_PROGRAM_FILES := $(foreach p,$(TEST_PROGRAMS),$(B)/$($(p)_OUT))
ALL_FILES := $(foreach a,$(ARCHIVES),$(B)/lib$(a).a) $(PROGRAM_FILES)

include scripts/rules.mk

all: $(ALL_FILES)

-include $(foreach d,$(sort $(B) $(APART)),$(patsubst %.c,$(d)/obj/%.d,$(ALL_SRC)))

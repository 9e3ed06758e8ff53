# Tests, documentation, flavors, installation.  Read after the programs are known.

.PHONY: check check-static check-tests check-unit check-fuzz check-functional tests bench coverage fuzz install uninstall \
	format format-check tidy clean help

# ---- stage1 flavors: a directory that runs, and the same packed as an image -----------------------
# A flavor exists when its manifest template does.  Its own programs (run, enter, stop, gc) are in
# sources.mk with NAME_OUT := lib/rkt/stage1/<flavor>/rootfs/<program>; $(B)/stage2/* is copied into each.
FLAVORS := $(patsubst stage1/%/manifest.json.in,%,$(wildcard stage1/*/manifest.json.in))
STAGE1_DIR := lib/rkt/stage1
# The architecture as image labels spell it.
AC_ARCH := $(patsubst x86_64,amd64,$(patsubst i%86,i386,$(shell uname -m)))
STAGE2_DIR := stage2
STAGE2_NAMES := $(patsubst $(STAGE2_DIR)/%,%,$(filter $(STAGE2_DIR)/%,$(foreach p,$(PROGRAMS),$($(p)_OUT))))

define stage1_flavor
$(1)_ROOTFS := $$(addprefix $(B)/,$$(filter $(STAGE1_DIR)/$(1)/rootfs/%,$$(foreach p,$$(PROGRAMS),$$($$(p)_OUT)))) \
	$(addprefix $(B)/$(STAGE1_DIR)/$(1)/rootfs/,$(STAGE2_NAMES))

$(addprefix $(B)/$(STAGE1_DIR)/$(1)/rootfs/,$(STAGE2_NAMES)): $(B)/$(STAGE1_DIR)/$(1)/rootfs/%: $(B)/$(STAGE2_DIR)/%
	@mkdir -p $$(@D)
	$$(Q)cp -f $$< $$@

$(B)/$(STAGE1_DIR)/$(1)/manifest: stage1/$(1)/manifest.json.in $(B)/flags
	$$(say) GEN $$@
	@mkdir -p $$(@D)
	$$(Q)sed -e 's/@VERSION@/$(VERSION)/g' -e 's/@ARCH@/$(AC_ARCH)/g' $$< > $$@

FLAVOR_FILES += $(B)/$(STAGE1_DIR)/$(1)/manifest $$($(1)_ROOTFS)
ifneq ($(filter mkaci,$(PROGRAMS)),)
$(B)/lib/rkt/stage1-images/stage1-$(1).aci: $(B)/bin/mkaci $(B)/$(STAGE1_DIR)/$(1)/manifest $$($(1)_ROOTFS)
	$$(say) ACI $$@
	@mkdir -p $$(@D)
	$$(Q)$(B)/bin/mkaci $(B)/$(STAGE1_DIR)/$(1) $$@
FLAVOR_ACIS += $(B)/lib/rkt/stage1-images/stage1-$(1).aci
endif
endef
$(foreach f,$(FLAVORS),$(eval $(call stage1_flavor,$(f))))
ALL_FILES += $(FLAVOR_FILES) $(FLAVOR_ACIS)

# ---- the default system call filter is compiled here, not when a pod starts -----------------------
MKSECCOMP_SRC := $(addprefix stage1/lib/,mkseccomp.c seccomp.c seccomp_sets.c)
$(B)/gen/mkseccomp: $(MKSECCOMP_SRC) $(B)/libbase.a $(B)/flags $(wildcard stage1/lib/seccomp*.h)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(MKSECCOMP_SRC) $(B)/libbase.a -lseccomp
$(B)/gen/seccomp_default.h: $(B)/gen/mkseccomp
	$(say) GEN $@
	$(Q)$< > $@
$(foreach d,$(sort $(B) $(APART)),$(d)/obj/stage1/lib/seccomp_policy.o): $(B)/gen/seccomp_default.h

# ---- man pages and shell completion come from the option tables -----------------------------------
ifneq ($(filter gendoc,$(PROGRAMS)),)
$(B)/man/stamp: $(B)/bin/gendoc $(wildcard rkt/man/*.inc)
	$(say) DOC $(@D)
	$(Q)rm -rf $(@D) && mkdir -p $(@D)
	$(Q)$(B)/bin/gendoc man $(@D)
	@touch $@
$(B)/completion/rkt: $(B)/bin/gendoc
	$(say) DOC $@
	@mkdir -p $(@D)
	$(Q)$(B)/bin/gendoc completion > $@
DOC_FILES := $(B)/man/stamp $(B)/completion/rkt
ALL_FILES += $(DOC_FILES)
endif

# ---- tests ----------------------------------------------------------------------------------------
# Unit tests and fuzz targets are found by name: dropping the file in the folder is registering it.
# Each links every archive: the linker takes the members it needs and --as-needed drops libraries.
PKGS := jansson libarchive libcurl gpgme libcrypto libseccomp libcap libmnl libnftables zlib liblzma libzstd
TEST_AR := $(foreach a,$(ARCHIVES),$(B)/lib$(a).a)
TEST_LIBS = -Wl,--start-group $(TEST_AR) -Wl,--end-group $(shell $(PKG) --libs $(PKGS)) -lbz2 -lpthread

UNIT_SRC := $(sort $(wildcard tests/unit/test_*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
UNIT := $(patsubst tests/%.c,$(B)/tests/%,$(UNIT_SRC))
FUZZ := $(patsubst tests/%.c,$(B)/tests/%,$(FUZZ_SRC))
FUNCTIONAL := $(sort $(wildcard tests/functional/t[0-9]*.sh))
GATES := $(sort $(wildcard scripts/check-*))
TEST_SRC += $(UNIT_SRC) $(FUZZ_SRC) tests/fuzz/replay.c

$(UNIT): $(B)/tests/%: $(B)/obj/tests/%.o $(TEST_AR)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(TEST_LIBS) $(shell $(PKG) --libs check)

$(FUZZ): $(B)/tests/%: $(B)/obj/tests/%.o $(B)/obj/tests/fuzz/replay.o $(TEST_AR)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $< $(B)/obj/tests/fuzz/replay.o $(TEST_LIBS)

tests: all $(UNIT) $(FUZZ) $(TEST_PROGRAM_FILES)

# One test: `make check-unit T=json`, `make check-functional T=t120`.
pick = $(if $(T),$(foreach f,$(1),$(if $(findstring $(T),$(notdir $(f))),$(f))),$(1))
TAP_RUN = RKT_BUILD=$(abspath $(B)) scripts/tap-run

check: all tests
	@$(TAP_RUN) $(GATES) $(UNIT) $(FUZZ) $(FUNCTIONAL)
check-tests: all tests
	@$(TAP_RUN) $(UNIT) $(FUZZ) $(FUNCTIONAL)
check-static: all $(UNIT:$(B)/%=$(B)/obj/%.o)
	@$(TAP_RUN) $(call pick,$(GATES))
check-unit: $(call pick,$(UNIT))
	@$(TAP_RUN) $(call pick,$(UNIT))
check-fuzz: $(call pick,$(FUZZ))
	@$(TAP_RUN) $(call pick,$(FUZZ))
check-functional: all $(TEST_PROGRAM_FILES)
	@$(TAP_RUN) $(call pick,$(FUNCTIONAL))

# Fuzzing proper: clang with libFuzzer, in a build folder of its own.  F= picks targets by name.
SECS ?= 60
FUZZ_FLAGS := -fsanitize=address,undefined
fuzz:
	@$(MAKE) --no-print-directory CC=$(CLANG) B=build/fuzz SANITIZE= \
		SANFLAGS='$(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -fno-omit-frame-pointer -fno-sanitize-recover=undefined' \
		HARDEN= fuzz-run F='$(F)' SECS='$(SECS)'
.PHONY: fuzz-run
LIBFUZZ := $(patsubst tests/fuzz/fuzz_%.c,$(B)/fuzz_%,$(FUZZ_SRC))
$(LIBFUZZ): $(B)/fuzz_%: $(B)/obj/tests/fuzz/fuzz_%.o $(TEST_AR)
	$(say) LD $@
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $< $(TEST_LIBS)
fuzz-run: $(if $(F),$(foreach f,$(LIBFUZZ),$(if $(findstring $(F),$(notdir $(f))),$(f))),$(LIBFUZZ))
	@scripts/fuzz-run $(B) $(SECS) $^

coverage:
	@scripts/coverage $(B)

bench: all $(TEST_PROGRAM_FILES)
	@RKT_BUILD=$(abspath $(B)) tests/bench/run.sh

# ---- install --------------------------------------------------------------------------------------
# The installed tree is the build tree: $(LIBDIR)/rkt beside $(BINDIR)/rkt.
HELPER_FILES = $(filter $(B)/lib/rkt/%,$(PROGRAM_FILES))
INSTALL ?= install
install: all
	$(INSTALL) -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/rkt
	$(INSTALL) -m 755 $(B)/bin/rkt $(DESTDIR)$(BINDIR)/rkt
	@set -e; for f in $(patsubst $(B)/lib/rkt/%,%,$(HELPER_FILES) $(FLAVOR_FILES) $(FLAVOR_ACIS)); do \
		mode=755; case $$f in */manifest|*.aci) mode=644;; esac; \
		echo "$(INSTALL) -D -m $$mode $$f"; \
		$(INSTALL) -D -m $$mode $(B)/lib/rkt/$$f $(DESTDIR)$(LIBDIR)/rkt/$$f; done
ifdef DOC_FILES
	$(INSTALL) -d $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(COMPDIR)
	$(INSTALL) -m 644 $(B)/man/*.1 $(DESTDIR)$(MANDIR)/man1/
	$(INSTALL) -m 644 $(B)/completion/rkt $(DESTDIR)$(COMPDIR)/rkt
endif
uninstall:
	rm -f $(DESTDIR)$(BINDIR)/rkt $(DESTDIR)$(COMPDIR)/rkt $(DESTDIR)$(MANDIR)/man1/rkt.1 $(DESTDIR)$(MANDIR)/man1/rkt-*.1
	rm -rf $(DESTDIR)$(LIBDIR)/rkt

# ---- housekeeping ---------------------------------------------------------------------------------
format:
	@scripts/check-format --fix $(F)
format-check:
	@scripts/check-format
tidy: $(B)/gen/version.h $(B)/gen/seccomp_default.h
	@scripts/tidy $(B) $(F)
clean:
	rm -rf build
help:
	@cat scripts/targets.txt

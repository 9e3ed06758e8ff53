# What is built from what.  Sources are listed, not globbed; one variable a floor.

base_SRC := $(addprefix aci/base/,err.c alloc.c buf.c strv.c num.c path.c fd.c fsat.c fsmake.c fswalk.c \
	fsrm.c fscopy.c lock.c proc.c log.c opt.c table.c uuid.c when.c)
# json.c needs jansson and hash.c libcrypto: archives of their own, so that a program links what it uses.
basejson_SRC := aci/base/json.c
basehash_SRC := aci/base/hash.c
schema_SRC := $(addprefix aci/schema/,ids.c labels.c app.c isolator.c quantity.c image.c pod.c volume.c)

ARCHIVES := base basejson basehash schema

PROGRAMS :=

# Programs that only tests run: what is looked at inside a pod, and the server on loopback.
TEST_PROGRAMS := inspect httpd interleave
inspect_SRC := tests/functional/inspect.c
inspect_OUT := tests/inspect
inspect_LINK := $(PLAIN)
httpd_SRC := tests/functional/httpd.c
httpd_OUT := tests/httpd
httpd_LIBS := -lssl -lcrypto
interleave_SRC := tests/bench/interleave.c
interleave_OUT := tests/interleave

ALL_SRC = $(sort $(foreach a,$(ARCHIVES),$($(a)_SRC)) $(foreach p,$(PROGRAMS) $(TEST_PROGRAMS),$($(p)_SRC)) $(TEST_SRC))

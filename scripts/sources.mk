# What is built from what.  Sources are listed, not globbed; one variable a floor.

base_SRC := $(addprefix aci/base/,err.c alloc.c buf.c strv.c num.c path.c fd.c fsat.c fsmake.c fswalk.c \
	fsrm.c fscopy.c lock.c proc.c log.c opt.c table.c ticks.c uuid.c when.c base64.c)
# json.c needs jansson, hash.c libcrypto and callfilter.c libseccomp: archives of their own, so that a program links what it uses.
basejson_SRC := aci/base/json.c
basehash_SRC := aci/base/hash.c
basecalls_SRC := aci/base/callfilter.c
schema_SRC := $(addprefix aci/schema/,check.c ids.c labels.c app.c isolator.c quantity.c rlimit.c device.c pathrule.c image.c pod.c volume.c netspec.c portspec.c)

# OCI and docker images: references and documents.
oci_SRC := $(addprefix aci/oci/,digest.c reference.c media.c document.c platform.c imageconfig.c appview.c appconfig.c whiteout.c)

# The plan and the words for stage2's steps: read by stage2, written and told by stage1.
plan_SRC := stage2/plan.c stage2/stepname.c
# The part of stage0 that `rkt` links: libc and jansson, nothing else.
stage0_SRC := $(addprefix stage0/,dirs.c store.c storedoc.c storeref.c storewrite.c pod.c podlist.c podfacts.c \
	podwait.c status.c summary.c stage1.c stage1_exec.c classic.c mounts.c gc.c age.c partial.c sweep.c config.c configjson.c regconf.c lookaside.c ref.c \
	keystore.c fetchclient.c prepare.c prepare_manifest.c prepare_app.c prepare_env.c imageuse.c imagegc.c blobs.c imagelayers.c layersgc.c dns.c \
	stage1_app.c entrypoint_run.c networks.c mutable.c userns.c prepare_ports.c)

ARCHIVES := base basejson basehash basecalls schema oci stage0 plan

PROGRAMS :=

# stage2: what runs inside the pod.  Static even under a sanitizer; nothing but the plan.
stage2_SRC := $(addprefix stage2/,launch.c launch_root.c launch_paths.c launch_cred.c launch_exec.c fds.c)
# Where stage2/libc.c speaks to the kernel itself, that is all; elsewhere the C library is linked.
ifneq ($(filter x86_64-% aarch64-%,$(shell $(CC) -dumpmachine)),)
stage2_LIBC := stage2/start.c stage2/libc.c
stage2_SRC += $(stage2_LIBC)
stage2_LINK := $(PLAIN) -nostdlib
else
stage2_LINK := $(PLAIN)
endif
PROGRAMS += init launch
init_SRC := $(addprefix stage2/,init.c init_apps.c init_cgroup.c init_devices.c init_kill.c init_control.c \
	init_mutable.c) $(stage2_SRC)
init_OUT := stage2/init
init_AR := plan
init_LINK := $(stage2_LINK)
launch_SRC := stage2/launch_main.c $(stage2_SRC)
launch_OUT := stage2/launch
launch_AR := plan
launch_LINK := $(stage2_LINK)

# stage1: one folder a flavor, the engine in lib.  Static: they run beside foreign roots.
stage1_SRC := $(addprefix stage1/lib/,steps.c verb.c podctx.c mnt.c mnt_classic.c users.c capset.c seccomp.c seccomp_cache.c \
	seccomp_named.c seccomp_policy.c seccomp_sets.c cgroup.c cgroup_limits.c cgroup_gone.c devices.c rlimits.c sysctl.c \
	volumes.c planout.c tree.c skeleton.c kernfs.c dev.c etcfiles.c netfiles.c netcall.c notify.c restart.c listen.c streams.c lines.c relay.c relay_clients.c userns.c userns_root.c userns_cgroups.c login.c stopsignal.c childplan.c child.c tty.c running.c supervise.c requests.c \
	sandbox.c heritage.c join.c addedplan.c appcall.c appfact.c podfile.c podsock.c)
ARCHIVES := $(filter-out plan base%,$(ARCHIVES)) stage1 plan basejson basehash basecalls base
STAGE1_AR := stage1 plan schema basejson base
STAGE1_LIBS := -ljansson -lseccomp

# flavor_program FLAVOR,PROGRAM,SOURCE
define flavor_program
PROGRAMS += $(1)-$(2)
$(1)-$(2)_SRC := $(3)
$(1)-$(2)_OUT := lib/rkt/stage1/$(1)/rootfs/$(2)
$(1)-$(2)_AR := $(STAGE1_AR)
$(1)-$(2)_LIBS := $(STAGE1_LIBS)
$(1)-$(2)_LINK := $(STATIC)
endef
$(foreach f,ns fly,$(eval $(call flavor_program,$(f),run,stage1/$(f)/run.c stage1/lib/run_main.c)) \
	$(foreach p,enter stop gc,$(eval $(call flavor_program,$(f),$(p),stage1/lib/$(p)_main.c))))
# Of mutable pods: only flavor ns has them.
$(eval $(call flavor_program,ns,app-add,stage1/ns/run.c stage1/lib/app_add_main.c))
$(foreach f,ns fly,$(eval $(call flavor_program,$(f),attach,stage1/lib/attach_main.c)))
$(foreach p,start stop rm,$(eval $(call flavor_program,ns,app-$(p),stage1/lib/app_$(p)_main.c)))

# Networks: a program of flavor ns that runs on the host's side only.
net_SRC := $(addprefix stage1/net/,attachment.c confs.c netconf.c exact.c cniversion.c cni.c cniargs.c cnianswer.c plugin.c left.c result.c builtin.c \
	lease.c fw.c ports.c proxy.c record.c resolv.c hostresolv.c twins.c standin.c bridge.c add.c del.c listing.c builtin_conf.c rtnl.c subnet.c sysctls.c nlsock.c nftab.c conntrack.c proxy_tcp.c proxy_udp.c proxy_jail.c)
ARCHIVES := net $(ARCHIVES)
PROGRAMS += ns-net
ns-net_SRC := stage1/net/net_main.c
ns-net_OUT := lib/rkt/stage1/ns/rootfs/net
ns-net_AR := net stage1 schema basejson basecalls base
ns-net_LIBS := -lnftables -lmnl -lseccomp -ljansson

# The fetch program: network, gpg, and the pipeline around unpack.
fetchlib_SRC := $(addprefix stage0/,fetchwork.c fetchfile.c fetchtrust.c fetchimage.c fetchurl.c fetchknown.c fetchkeys.c fetchverify.c fetchverifyoci.c \
	download.c http.c httphop.c httpmany.c httpauth.c httphead.c challenge.c regcreds.c regcredhelper.c backoff.c regauth.c registry.c regblobs.c regpush.c uploadnote.c outgoing.c mergeaci.c save.c fetchout.c proglines.c sigv4.c progress.c verify.c ocisign.c simplesign.c cosign.c sigpayload.c pubkey.c sigfile.c gpghome.c import.c unpackrun.c stack.c settle.c fetchoci.c ocilocal.c dockerarchive.c ociimport.c treecmp.c interrupt.c)
ARCHIVES := fetchlib $(ARCHIVES)
PROGRAMS += fetch
fetch_SRC := stage0/fetch.c
fetch_OUT := lib/rkt/stage0/fetch
fetch_AR := fetchlib stage0 image oci schema basejson basehash base
fetch_LIBS := -larchive -lcurl -lgpgme -lcrypto -ljansson -lpthread

# Images: the sandboxed reader and the writer.
image_SRC := $(addprefix aci/image/,compression.c inflate.c inflate_gzip.c inflate_bzip2.c inflate_xz.c inflate_zstd.c \
	tarfield.c tarsparse.c tarpax.c tarscan.c entryname.c treemake.c whitelist.c extract.c entrymake.c layer.c layernote.c bundle.c sandbox.c sandbox_landlock.c \
	sandbox_seccomp.c tarout.c merge.c writer.c)
ARCHIVES := image $(ARCHIVES)
PROGRAMS += unpack
unpack_SRC := stage0/unpack.c
unpack_OUT := lib/rkt/stage0/unpack
unpack_AR := image oci schema basejson basecalls base
unpack_LIBS := -larchive -lz -lbz2 -llzma -lzstd -lseccomp -ljansson
PROGRAMS += mkaci
mkaci_SRC := aci/tools/mkaci.c
mkaci_OUT := bin/mkaci
mkaci_AR := image oci schema basejson base
mkaci_LIBS := -larchive -ljansson

# The command line: everything but main, so that the tests and gendoc can link it.
cli_SRC := $(addprefix rkt/,appargs.c appflags.c cli.c commands.c completion.c dnsflags.c globals.c help.c host.c images.c output.c \
	limitflags.c podflags.c outputarg.c podstart.c uuidarg.c appverb.c netverb.c \
	cmd_app.c cmd_app_add.c cmd_app_list.c cmd_app_rm.c cmd_app_sandbox.c cmd_app_start.c cmd_app_status.c \
	cmd_app_stop.c cmd_attach.c cmd_cat_manifest.c cmd_completion.c cmd_config.c cmd_enter.c cmd_fetch.c cmd_gc.c \
	cmd_help.c cmd_image.c cmd_image_build.c cmd_image_cat_manifest.c cmd_image_gc.c cmd_image_list.c cmd_image_push.c cmd_image_rm.c cmd_image_save.c cmd_image_verify.c cmd_list.c cmd_net.c cmd_net_ls.c cmd_net_reload.c cmd_net_rm.c \
	cmd_prepare.c cmd_rm.c cmd_run.c cmd_run_prepared.c cmd_status.c cmd_stop.c cmd_trust.c cmd_version.c)
ARCHIVES := cli $(ARCHIVES)
PROGRAMS += rkt gendoc
rkt_SRC := rkt/main.c
rkt_OUT := bin/rkt
rkt_AR := cli stage0 oci schema basejson base
rkt_LIBS := -ljansson
rkt_LINK := $(HOST_STATIC)
gendoc_SRC := rkt/gendoc.c
gendoc_OUT := bin/gendoc
gendoc_AR := $(rkt_AR)
gendoc_LIBS := $(rkt_LIBS)

# Programs that only tests run: what is looked at inside a pod, and the server on loopback.
TEST_PROGRAMS := inspect peersay httpd ocisign interleave floor fake_stage1 without killat netbox proxybox clockshift
inspect_SRC := tests/functional/inspect.c tests/functional/inspect_try.c
inspect_OUT := tests/inspect
inspect_LINK := $(PLAIN)
peersay_SRC := tests/functional/peersay.c
peersay_OUT := tests/peersay
peersay_LINK := $(PLAIN)
fake_stage1_SRC := tests/contract/fake_stage1.c
fake_stage1_OUT := tests/fake_stage1
fake_stage1_LINK := $(PLAIN)
httpd_SRC := tests/functional/httpd.c
httpd_OUT := tests/httpd
httpd_LIBS := -lssl -lcrypto
ocisign_SRC := tests/functional/ocisign.c
ocisign_OUT := tests/ocisign
ocisign_AR := $(fetch_AR)
ocisign_LIBS := $(fetch_LIBS)
netbox_SRC := tests/functional/netbox.c
netbox_OUT := tests/netbox
netbox_AR := $(ns-net_AR)
netbox_LIBS := $(ns-net_LIBS)
without_SRC := tests/functional/without.c
without_OUT := tests/without
without_LIBS := -lseccomp
TEST_PROGRAMS += cnibox
cnibox_SRC := tests/functional/cnibox.c
cnibox_OUT := tests/cnibox
cnibox_AR := net stage1 schema basejson base
cnibox_LIBS := -lnftables -lmnl -ljansson
clockshift_SRC := $(addprefix tests/functional/,clockshift.c tracer.c)
clockshift_OUT := tests/clockshift
killat_SRC := $(addprefix tests/functional/,killat.c tracer.c)
killat_OUT := tests/killat
proxybox_SRC := tests/functional/proxybox.c
proxybox_OUT := tests/proxybox
proxybox_AR := $(ns-net_AR)
proxybox_LIBS := $(ns-net_LIBS)
interleave_SRC := tests/bench/interleave.c
interleave_OUT := tests/interleave
floor_SRC := tests/bench/floor.c
floor_OUT := tests/floor
floor_LINK := $(PLAIN)
TEST_PROGRAMS += libcbox
libcbox_SRC := tests/functional/libcbox.c $(stage2_LIBC)
libcbox_OUT := tests/libcbox
libcbox_LINK := $(stage2_LINK)
# stage2 without stage1: Check programs that tests/functional/t4xx-stage2-*.sh run as root.
TEST_PROGRAMS += podbox_init podbox_launch podbox_cgroup podbox_added podbox_arm64
define podbox
podbox_$(1)_SRC := tests/functional/podbox_$(1).c
podbox_$(1)_OUT := tests/podbox_$(1)
podbox_$(1)_LIBS := $(shell $(PKG) --silence-errors --libs check)
endef
$(foreach t,init launch cgroup added arm64,$(eval $(call podbox,$(t))))

ALL_SRC = $(sort $(foreach a,$(ARCHIVES),$($(a)_SRC)) $(foreach p,$(PROGRAMS) $(TEST_PROGRAMS),$($(p)_SRC)) $(TEST_SRC))

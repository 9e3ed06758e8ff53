/*
 * fetchclient — how rkt asks the fetch program for work, and the words of that protocol.
 *
 * The program <lib>/stage0/fetch reads one JSON request from descriptor 3 up to EOF and writes one
 * JSON reply to descriptor 4.  Standard error is the user's (progress, notices).  It exits 0 when a
 * reply was written, whatever the reply says.  rkt itself therefore never loads libcurl or gpgme.
 *
 * Request: {"op": OP, "dataDir", "systemConfig", "localConfig", "userConfig"?, "debug": bool,
 *           "quiet": bool, "insecure": [..names of cli.md section 3.1..], …}
 *           ("stallSeconds": N, optional: give up on a connection that is as good as silent for so long; 30)
 *   OP "fetch":  "image": {"kind": "file"|"http"|"oci", "url", "path"?, "text", "arch"?}, "signature"?: path,
 *                "pullPolicy": "new"|"update"|"never", "trustUnsigned"?: bool (stage1 at a trusted place)
 *       reply:   {"id": "sha512-…", "fetched": bool}
 *   OP "keys":   "source": path or URL, "allowHttp": bool
 *       reply:   {"keys": [{"fingerprint", "subkeys": [..], "uids": [..], "armored": text}]}
 *                or, for a PEM key, {"keys": [{"fingerprint", "algorithm", "armored"}]}
 *   OP "verify": "id"             re-hash the blob, re-read the tree
 *       reply:   {"ok": bool, "detail": text}
 *   OP "save":   "id", "format": "oci"|"oci-archive"|"docker-archive"|"aci", "path": absolute
 *       reply:   {}
 *   OP "push":   "id", "url": a docker:// reference, as oci_reference_text spells it
 *       reply:   {"digest": of the manifest, "sent": blobs that the registry did not have}
 *   OP "build":  "root": absolute path of a directory, "config": of OCI, but for "rootfs", "name", "version",
 *                "format", "path": as of "save"
 *       reply:   {}
 * Failure of any: {"error": {"code": errno, "class": enum err_class, "text": "…"}}.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"

/* What --insecure-options permits while fetching (cli.md section 3.1), and the rows of a table of its words. */
enum insecure {
	INSECURE_IMAGE = 1,
	INSECURE_TLS = 2,
	INSECURE_HTTP = 4,
	INSECURE_PUBKEY = 8,
	INSECURE_ALL_FETCH = 15,
};
#define INSECURE_FETCH_WORDS                                                                                 \
	{ "image", INSECURE_IMAGE }, { "tls", INSECURE_TLS }, { "http", INSECURE_HTTP },                     \
	{                                                                                                    \
		"pubkey", INSECURE_PUBKEY                                                                    \
	}

struct fetch_env {
	const char *lib_dir;                                               /* where stage0/fetch lives */
	const char *data_dir, *system_config, *local_config, *user_config; /* user_config may be NULL */
	char *const *insecure;                                             /* strv */
	bool debug, quiet;
};

/* Run one request (members of @op_members are merged in; the reference is stolen).  New reference, or NULL and @e. */
json_t *fetch_call(const struct fetch_env *env, const char *op, json_t *op_members, struct err *e);

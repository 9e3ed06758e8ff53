/*
 * ocisign — verify one image of a registry as the fetch program does (stage0/ocisign.h), without fetching it.
 *
 * ocisign DATA-DIR LOCAL-CONFIG INSECURE REFERENCE NAME DIGEST [DIGEST]: prints FINGERPRINT SCOPE of every key that satisfied a rule and exits
 * 0, or 1 with the error.  INSECURE is "http" or "".
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "stage0/http.h"
#include "stage0/ocisign.h"

static int verify(struct job *j, struct oci_signed *what, struct err *e)
{
	const struct http_options o = { .config = &j->config };
	auto_http *h = http_new(&o, e);
	const struct registry_options ro = { h, &j->config, environ, "pull", j->insecure & INSECURE_HTTP };
	struct registry reg;
	struct verified_by *v = NULL;
	size_t n = 0;

	if (!h)
		return -e->code;
	memset(&reg, 0, sizeof(reg));
	registry_open(&reg, &ro, what->ref->host, what->ref->repository);
	what->registry = &reg;
	int r = oci_verify(j, what, &v, &n, e);
	for (size_t i = 0; i < n; i++)
		printf("%s %s\n", v[i].fingerprint, v[i].scope);
	oci_verified_free(v, n);
	registry_close(&reg);
	return r;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct oci_reference ref;

	log_setup("ocisign", LOG_NORMAL);
	if (argc < 7) {
		log_error("seven words expected");
		return 2;
	}
	struct job j = { .data_dir = argv[1], .system_config = "/nonexistent", .local_config = argv[2] };
	j.insecure = strcmp(argv[3], "http") == 0 ? INSECURE_HTTP : 0;
	struct oci_signed what = { argv[5], &ref, { argv[6], argc > 7 ? argv[7] : NULL }, NULL, NULL };
	int r = oci_reference_parse(argv[4], &ref, &e);
	if (r == 0) {
		r = job_open(&j, &e);
		if (r == 0)
			r = verify(&j, &what, &e);
		job_close(&j);
		oci_reference_done(&ref);
	}
	if (r < 0)
		log_error("%s", e.text);
	return r < 0;
}

/*
 * fetchtrust — the order of trust: any trusted key first, the keys of the name last.
 *
 * Before the first check nothing of the image is parsed.  The name is in the image, so the second
 * check can only come after the (confined) extraction; it is skipped when both sets of keys are the
 * same, because then it would be the same check.
 */
#include "stage0/fetchjob.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/strv.h"

#define REMEDY                                                                                               \
	"name the signature with --signature=FILE, or accept unsigned images with --insecure-options=image"

void trust_done(struct trust *t)
{
	sigfile_done(&t->sig);
	keyring_done(&t->all);
	verify_result_done(&t->first);
	verify_result_done(&t->scoped);
}

int trust_read_mem(struct trust *t, const void *p, size_t n, const char *from, struct err *e)
{
	int r = sigfile_parse(p, n, &t->sig, e);

	if (r < 0)
		return err_ctx(e, "signature \"%s\"", from);
	t->have_sig = true;
	return 0;
}

int trust_read_file(struct trust *t, const char *path, struct err *e)
{
	auto_buf text = BUF_INIT;
	struct stat st;
	auto_close int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0) {
		int code = errno;
		err_set(e, code == ENOENT ? ERR_TRUST : ERR_SYS, code,
			"error opening signature file \"%s\": %s", path, strerror(code));
		return err_hint(e, REMEDY);
	}
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "look at signature file \"%s\"", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_TRUST, EINVAL,
			       "error opening signature file \"%s\": not a regular file", path);
	int r = fd_read_all(fd, SIGFILE_MAX, &text);
	if (r == -EFBIG)
		return err_set(e, ERR_TRUST, EFBIG, "signature file \"%s\" is larger than %u bytes", path,
			       SIGFILE_MAX);
	if (r < 0)
		return err_sys(e, -r, "read signature file \"%s\"", path);
	return trust_read_mem(t, buf_str(&text), text.len, path, e);
}

static int load_all_keys(struct job *j, struct trust *t, struct err *e)
{
	return t->all.n ? 0 : keystore_load(KEY_OPENPGP, j->system_config, j->local_config, NULL, &t->all, e);
}

/* Unknown signer: say what can be done. */
static int explain(const struct trust *t, int r, struct err *e)
{
	if (r == -ENOKEY && t->all.n == 0)
		return err_hint(e, "no key is trusted yet: rkt trust --prefix=NAME KEYFILE");
	if (r == -ENOKEY)
		return err_hint(e, "if you trust that key: rkt trust --prefix=NAME KEYFILE");
	return r;
}

int trust_issuer(struct job *j, struct trust *t, const struct work *w, struct err *e)
{
	int r = load_all_keys(j, t, e);

	if (r >= 0)
		r = verify_issuer(w->path, &t->sig, &t->all, e);
	return explain(t, r, e);
}

int trust_check_any(struct job *j, struct trust *t, const struct work *w, int blob_fd, struct err *e)
{
	int r = load_all_keys(j, t, e);

	if (r >= 0)
		r = verify_detached(w->path, blob_fd, &t->sig, &t->all, &t->first, e);
	return explain(t, r, e);
}

/* The signer is trusted, only not for this name. */
static int out_of_scope(const struct trust *t, const char *name, struct err *e)
{
	auto_buf scopes = BUF_INIT;
	const char *fpr = t->first.v[0].fingerprint;

	for (size_t i = 0; i < t->first.n; i++) {
		if (strcmp(t->first.v[i].fingerprint, fpr) == 0)
			buf_addf(&scopes, "%s%s", scopes.len ? ", " : "", t->first.v[i].scope);
	}
	return err_set(e, ERR_TRUST, ENOKEY,
		       "the key that signed it is not trusted for \"%s\": key %s is in scope for %s only; "
		       "to trust it: rkt trust --prefix=%s KEYFILE",
		       name, fpr, buf_str(&scopes), name);
}

static void announce(const struct verify_result *v)
{
	auto_buf out = BUF_INIT;

	if (log_get_level() == LOG_QUIET)
		return;
	buf_addf(&out, "%s: signature verified:\n", log_get_prefix());
	for (char **u = v->v[0].uids; u && *u; u++) {
		buf_adds(&out, "  ");
		buf_add_escaped(&out, *u, strlen(*u));
		buf_addc(&out, '\n');
	}
	(void)write_full(STDERR_FILENO, out.data, out.len); /* nowhere to report it */
}

int trust_check_name(struct job *j, struct trust *t, const struct work *w, int blob_fd, const char *name,
		     struct err *e)
{
	struct keyring ring = { NULL, 0 };
	int r = keystore_load(KEY_OPENPGP, j->system_config, j->local_config, name, &ring, e);

	if (r >= 0 && keyring_equal(&ring, &t->all)) {
		verify_result_restrict(&t->first, &ring);
		t->scoped = t->first;
		t->first = (struct verify_result){ NULL, 0 };
	} else if (r >= 0) {
		r = verify_detached(w->path, blob_fd, &t->sig, &ring, &t->scoped, e);
		if (r == -ENOKEY)
			r = out_of_scope(t, name, e);
	}
	keyring_done(&ring);
	if (r >= 0)
		announce(&t->scoped);
	return r;
}

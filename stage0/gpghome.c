/*
 * gpghome — set up, import, export, tear down.
 */
#include "stage0/gpghome.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fsat.h"
#include "base/path.h"
#include "base/strv.h"
#include "base/when.h"

#define CLOCK_WRONG_BEFORE 1577836800 /* 2020: this program is younger */

#define ARMORED_MAX (4u << 20) /* bytes of one exported key */

/* "trust-model always": which key may speak for which name is decided by the keystore, not by a web of trust. */
static const char gpg_conf[] = "no-autostart\n"
			       "disable-dirmngr\n"
			       "no-auto-key-retrieve\n"
			       "no-auto-key-import\n"
			       "no-auto-key-locate\n"
			       "no-random-seed-file\n"
			       "no-auto-check-trustdb\n"
			       "trust-model always\n"
			       "weak-digest SHA1\n"
			       "no-greeting\n"
			       "no-tty\n";

int gpg_err(struct err *e, gpgme_error_t g, const char *what)
{
	return err_set(e, ERR_TRUST, EIO, "%s: %s", what, gpgme_strerror(g));
}

static int make_home(const char *parent, struct gpghome *h, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	auto_free char *path = path_join(parent ? parent : tmp && *tmp ? tmp : "/tmp", "rkt-gpg-XXXXXX");

	if (!mkdtemp(path))
		return err_sys(e, errno, "create a temporary directory \"%s\"", path);
	h->path = steal_ptr(&path);
	auto_close int fd = open(h->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, errno, "open \"%s\"", h->path);
	int r = write_file_at(fd, "gpg.conf", gpg_conf, sizeof(gpg_conf) - 1, 0600, 0);
	return r < 0 ? err_sys(e, -r, "write \"%s/gpg.conf\"", h->path) : 0;
}

static int open_engine(struct gpghome *h, struct err *e)
{
	gpgme_error_t g;

	gpgme_check_version(NULL);
	g = gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP);
	if (g)
		return err_set(e, ERR_TRUST, ENOENT,
			       "signatures are checked by gpg, which does not run here (%s); install gpg",
			       gpgme_strerror(g));
	g = gpgme_new(&h->ctx);
	if (!g)
		g = gpgme_set_protocol(h->ctx, GPGME_PROTOCOL_OpenPGP);
	if (!g)
		g = gpgme_ctx_set_engine_info(h->ctx, GPGME_PROTOCOL_OpenPGP, NULL, h->path);
	if (g)
		return gpg_err(e, g, "start gpg");
	gpgme_set_offline(h->ctx, 1);
	return 0;
}

int gpghome_open(const char *parent, struct gpghome *ret, struct err *e)
{
	struct gpghome h = { NULL, NULL };
	int r = make_home(parent, &h, e);

	if (r >= 0)
		r = open_engine(&h, e);
	if (r < 0) {
		gpghome_done(&h);
		return r;
	}
	*ret = h;
	return 0;
}

void gpghome_done(struct gpghome *h)
{
	int saved = errno;
	struct err ignored = ERR_INIT;

	if (h->ctx)
		gpgme_release(h->ctx);
	if (h->path)
		(void)rm_tree_at(AT_FDCWD, h->path, &ignored);
	free(h->path);
	*h = (struct gpghome){ NULL, NULL };
	errno = saved;
}

static char *lower(const char *s)
{
	char *out = xstrdup(s);
	for (char *p = out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return out;
}

/* GnuPG takes no key that was made after what the clock says. */
static int none_usable(struct err *e)
{
	const struct timespec now = when_now();

	err_set(e, ERR_TRUST, EINVAL, "no usable OpenPGP public key in it");
	if (now.tv_sec < CLOCK_WRONG_BEFORE) {
		auto_free char *text = when_rfc3339(now);
		err_hint(e, "the clock says %s", text);
	}
	return -EINVAL;
}

int gpghome_import(struct gpghome *h, const void *data, size_t len, char ***ret_fingerprints, struct err *e)
{
	gpgme_data_t in;
	gpgme_error_t g = gpgme_data_new_from_mem(&in, data, len, 0);

	if (g)
		return gpg_err(e, g, "import keys");
	g = gpgme_op_import(h->ctx, in);
	gpgme_data_release(in);
	if (g && gpgme_err_code(g) != GPG_ERR_NO_DATA)
		return gpg_err(e, g, "import keys");

	gpgme_import_result_t res = gpgme_op_import_result(h->ctx);
	auto_strv fprs = NULL;
	if (res && res->secret_read)
		return err_set(e, ERR_TRUST, EINVAL,
			       "the key is a secret key; give the public one (gpg --armor --export)");
	for (gpgme_import_status_t s = res ? res->imports : NULL; s; s = s->next) {
		auto_free char *fpr = s->fpr ? lower(s->fpr) : NULL;
		if (!fpr || gpgme_err_code(s->result) != GPG_ERR_NO_ERROR || strv_has(fprs, fpr))
			continue;
		strv_push_take(&fprs, steal_ptr(&fpr));
	}
	if (!fprs)
		return none_usable(e);
	if (ret_fingerprints)
		*ret_fingerprints = steal_ptr(&fprs);
	return 0;
}

int gpghome_key(struct gpghome *h, const char *fingerprint, gpgme_key_t *ret, struct err *e)
{
	gpgme_error_t g = gpgme_get_key(h->ctx, fingerprint, ret, 0);

	if (gpgme_err_code(g) == GPG_ERR_EOF)
		return err_set(e, ERR_TRUST, ENOKEY, "no key %s", fingerprint);
	return g ? gpg_err(e, g, "look up a key") : 0;
}

int gpghome_export(struct gpghome *h, const char *fingerprint, char **ret, struct err *e)
{
	gpgme_data_t out;
	gpgme_error_t g = gpgme_data_new(&out);

	if (g)
		return gpg_err(e, g, "export a key");
	gpgme_set_armor(h->ctx, 1);
	g = gpgme_op_export(h->ctx, fingerprint, 0, out);
	gpgme_set_armor(h->ctx, 0);
	size_t len = 0;
	char *mem = gpgme_data_release_and_get_mem(out, &len);
	int r = 0;
	if (g)
		r = gpg_err(e, g, "export a key");
	else if (!mem || len == 0 || len > ARMORED_MAX)
		r = err_set(e, ERR_TRUST, EINVAL, "key %s cannot be exported", fingerprint);
	else
		*ret = xstrndup(mem, len);
	gpgme_free(mem);
	return r;
}

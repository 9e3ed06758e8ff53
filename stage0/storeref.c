/*
 * storeref — names and URLs: the small files of cas/ref/.
 *
 * "name,<escaped name>" lists image ids, one a line, in the order of their import.  "url,<escaped
 * URL>" is one JSON document.  Long texts are cut and completed by a hash; what is really meant is
 * inside (a URL record says its URL, an image document its name), so a collision is a miss or one
 * more candidate, never a wrong answer.
 */
#include "stage0/storedoc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/fsat.h"
#include "base/strv.h"

#define ESCAPED_MAX 200 /* bytes, so that prefix, hash and text fit a file name of 255 */
#define CUT_TO      160

static uint64_t fnv1a(const char *s)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3u;
	return h;
}

static bool plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
	       c == '-' || c == '_';
}

char *store_escape(const char *prefix, const char *text)
{
	auto_buf b = BUF_INIT;

	for (const char *s = text; *s; s++) {
		if (plain(*s))
			buf_addc(&b, *s);
		else
			buf_addf(&b, "%%%02X", (unsigned char)*s);
	}
	if (b.len <= ESCAPED_MAX)
		return xasprintf("%s%s", prefix, buf_str(&b));
	return xasprintf("%s%.*s-%016llx", prefix, CUT_TO, b.data, (unsigned long long)fnv1a(text));
}

/* ---- names ---- */

/* Rewrite the list of @name with @id at the end, or without it. */
static int update_list(const struct store *s, const char *name, const char *id, bool add, struct err *e)
{
	auto_free char *file = store_escape("ref/name,", name);
	auto_close int lock = store_lock(s, "name", name, 1, e);
	auto_buf old = BUF_INIT, b = BUF_INIT;
	auto_strv ids = NULL;
	int r;

	if (lock < 0)
		return lock;
	r = read_file_at(s->cas_fd, file, STORE_REF_MAX, &old);
	if (r == -ENOENT && !add)
		return 0;
	if (r < 0 && r != -ENOENT)
		return err_sys(e, -r, "read the images of name %s", name);
	ids = strv_split(buf_str(&old), '\n');
	for (char **p = ids; *p; p++)
		if (image_id_valid(*p) && strcmp(*p, id) != 0)
			buf_addf(&b, "%s\n", *p);
	if (add)
		buf_addf(&b, "%s\n", id);
	if (b.len)
		return store_write(s, "ref", file, b.data, b.len, e);
	if (unlinkat(s->cas_fd, file, 0) < 0 && errno != ENOENT)
		return err_sys(e, errno, "remove the name %s", name);
	return 0;
}

int store_ref_add(const struct store *s, const char *name, const char *id, struct err *e)
{
	return update_list(s, name, id, true, e);
}

int store_ref_remove(const struct store *s, const char *name, const char *id, struct err *e)
{
	return update_list(s, name, id, false, e);
}

/* ---- URLs ---- */

void url_info_done(struct url_info *u)
{
	free(u->url);
	free(u->image_id);
	free(u->etag);
	memset(u, 0, sizeof(*u));
}

static int url_from_json(const json_t *doc, struct url_info *u, struct err *e)
{
	const char *url = NULL, *id = NULL, *etag = NULL;
	int r = json_get_str(doc, "", "url", true, &url, e);

	if (r == 0)
		r = json_get_str(doc, "", "image", true, &id, e);
	if (r == 0)
		r = json_get_str(doc, "", "etag", false, &etag, e);
	if (r == 0)
		r = json_get_int(doc, "", "maxAge", false, 0, INT64_MAX, &u->max_age, e);
	if (r == 0)
		r = json_get_int(doc, "", "fetched", false, 0, INT64_MAX, &u->fetched, e);
	if (r < 0)
		return r;
	u->url = xstrdup(url);
	u->image_id = xstrdup(id);
	u->etag = xstrdup(etag);
	return 0;
}

/* @file relative to cas/; -ENOENT when there is none. */
static int url_read(const struct store *s, const char *file, struct url_info *ret, struct err *e)
{
	struct url_info u = { .url = NULL };
	auto_buf b = BUF_INIT;
	auto_json doc = NULL;
	int r = read_file_at(s->cas_fd, file, STORE_REF_MAX, &b);

	if (r == -ENOENT)
		return err_set(e, ERR_INPUT, ENOENT, "nothing is known");
	if (r < 0)
		return err_sys(e, -r, "read %s", file);
	doc = json_parse(buf_str(&b), b.len, e);
	r = doc ? url_from_json(doc, &u, e) : -e->code;
	if (r < 0)
		return err_ctx(e, "URL record %s", file);
	*ret = u;
	return 0;
}

int store_url_load(const struct store *s, const char *url, struct url_info *ret, struct err *e)
{
	auto_free char *file = store_escape("ref/url,", url);
	struct url_info u = { .url = NULL };
	int r = url_read(s, file, &u, e);

	/* NOLINTNEXTLINE: a record that was read has both, here and below */
	if (r == 0 && strcmp(u.url, url) != 0) {
		url_info_done(&u);
		r = err_set(e, ERR_INPUT, ENOENT, "nothing is known");
	}
	if (r < 0)
		return err_ctx(e, "%s", url);
	*ret = u;
	return 0;
}

int store_url_save(const struct store *s, const struct url_info *u, struct err *e)
{
	auto_free char *file = store_escape("ref/url,", u->url);
	auto_json doc = json_object();
	auto_free char *text = NULL;

	json_object_set_new(doc, "url", json_string(u->url));
	json_object_set_new(doc, "image", json_string(u->image_id));
	if (u->etag)
		json_object_set_new(doc, "etag", json_string(u->etag));
	json_object_set_new(doc, "maxAge", json_integer((json_int_t)u->max_age));
	json_object_set_new(doc, "fetched", json_integer((json_int_t)u->fetched));
	text = json_text(doc, JSON_LINE);
	return store_write(s, "ref", file, text, strlen(text), e);
}

int store_urls_remove(const struct store *s, const char *id, struct err *e)
{
	auto_close int fd = openat(s->cas_fd, "ref", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_closedir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!dir)
		return err_sys(e, errno, "read the names of the image store");
	(void)steal_fd(&fd);
	for (const struct dirent *de; (de = readdir(dir));) {
		auto_free char *file = xasprintf("ref/%s", de->d_name);
		struct url_info u = { .url = NULL };
		struct err ignored = ERR_INIT; /* an unreadable record is a miss for every reader */
		bool match;

		if (strncmp(de->d_name, "url,", 4) != 0 || url_read(s, file, &u, &ignored) < 0)
			continue;
		match = strcmp(u.image_id, id) == 0; /* NOLINT */
		url_info_done(&u);
		if (match && unlinkat(s->cas_fd, file, 0) < 0 && errno != ENOENT)
			return err_sys(e, errno, "remove %s", file);
	}
	return 0;
}

/*
 * summary — see summary.h.
 */
#include "stage0/summary.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "schema/ids.h"

#define VERSION     "1"
#define SUMMARY_MAX 1023 /* bytes; file systems allow four times as many */
#define ID_SHORT    (sizeof("sha512-") - 1 + 12)

/* One word without anything that a terminal or the reader would take for something else. */
static bool is_word(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '\\')
			return false;
	}
	return n > 0;
}

char *summary_title(const struct runtime_app *a)
{
	const char *version = pairs_get(&a->image_labels, "version");

	if (!a->image_name || !a->image_labels.n)
		return NULL;
	return version && *version ? xasprintf("%s:%s", a->image_name, version) : xstrdup(a->image_name);
}

static bool add_app(struct buf *b, const struct runtime_app *a)
{
	auto_free char *title = summary_title(a);

	if (!title || !is_word(title, strlen(title)) || !image_id_valid(a->image_id))
		return false;
	buf_addf(b, " %s %s %.*s", a->name, title, (int)ID_SHORT, a->image_id);
	return b->len <= SUMMARY_MAX;
}

int summary_write(const struct pod *p, const struct pod_manifest *m, struct err *e)
{
	auto_buf b = BUF_INIT;

	buf_adds(&b, VERSION);
	for (size_t i = 0; i < m->napps; i++)
		if (!add_app(&b, &m->apps[i]))
			return 0;
	if (m->napps && symlinkat(buf_str(&b), p->fd, POD_LINK_SUMMARY) < 0)
		return err_sys(e, errno, "write %s", POD_LINK_SUMMARY);
	return 0;
}

/* The next word of *@at, which goes behind it; heap, or NULL when there is none. */
static char *next_word(const char **at)
{
	const char *start = *at + (**at == ' ');
	size_t n = strcspn(start, " ");

	if (start == *at || !is_word(start, n))
		return NULL;
	*at = start + n;
	return xstrndup(start, n);
}

static bool is_app(const struct app_snapshot *a)
{
	return a->name && a->image_title && a->image_id && ac_name_valid(a->name) &&
	       strlen(a->image_id) == ID_SHORT && strncmp(a->image_id, "sha512-", 7) == 0;
}

/* How many apps @text has and which; 0 when it is not a summary. */
static size_t parse(const char *text, struct app_snapshot *to, size_t room)
{
	size_t n = 0;
	bool good = *text++ == VERSION[0];

	for (; good && *text && n < room; n++) {
		to[n].name = next_word(&text);
		to[n].image_title = next_word(&text);
		to[n].image_id = next_word(&text);
		good = is_app(&to[n]);
	}
	if (good && !*text)
		return n;
	while (n) {
		n--;
		free(to[n].name);
		free(to[n].image_title);
		free(to[n].image_id);
	}
	return 0;
}

int summary_read(const struct pod *p, struct app_snapshot **ret, size_t *ret_n)
{
	char text[SUMMARY_MAX + 2];
	ssize_t n = readlinkat(p->fd, POD_LINK_SUMMARY, text, sizeof(text) - 1);
	size_t room = 1;

	if (n < 0)
		return -errno;
	if (n > SUMMARY_MAX)
		return -EINVAL;
	text[n] = '\0';
	for (const char *s = text; *s; s++)
		room += *s == ' ';
	*ret = xcalloc(room / 3 + 1, sizeof(**ret));
	*ret_n = parse(text, *ret, room / 3 + 1);
	if (*ret_n)
		return 0;
	free(*ret);
	*ret = NULL;
	return -EINVAL;
}

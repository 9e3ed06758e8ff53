/*
 * config — reading and merging the configuration directories (stage0/config.h, cli.md section 14).
 *
 * Each layer is read into a struct config of its own, where a key that is set twice is an error
 * whatever the names of the files are; then it is laid over what earlier layers said.
 */
#include "stage0/config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fsat.h"
#include "base/strv.h"
#include "schema/ids.h"

#define CONFIG_FILE_MAX (1u << 20)
#define CONFIG_VERSION  "v1"

static const char *const auth_names[] = {
	[AUTH_BASIC] = "basic", [AUTH_OAUTH] = "oauth", [AUTH_AWS] = "aws"
};

static void auth_entry_done(struct auth_entry *a)
{
	free(a->domain);
	free(a->user);
	free(a->password);
	free(a->token);
	free(a->access_key);
	free(a->secret_key);
	free(a->region);
	*a = (struct auth_entry){ .domain = NULL };
}

static void docker_auth_entry_done(struct docker_auth_entry *d)
{
	free(d->registry);
	free(d->user);
	free(d->password);
	*d = (struct docker_auth_entry){ NULL, NULL, NULL };
}

void config_done(struct config *c)
{
	for (size_t i = 0; i < c->nauth; i++)
		auth_entry_done(&c->auth[i]);
	free(c->auth);
	for (size_t i = 0; i < c->ndocker_auth; i++)
		docker_auth_entry_done(&c->docker_auth[i]);
	free(c->docker_auth);
	for (size_t i = 0; i < c->nregistries; i++)
		registry_entry_done(&c->registries[i]);
	free(c->registries);
	lookasides_free(c->lookasides, c->nlookasides);
	free(c->data_dir);
	free(c->stage1_images);
	free(c->stage1_name);
	free(c->stage1_version);
	free(c->stage1_location);
	*c = (struct config){ .auth = NULL };
}

const struct auth_entry *config_auth(const struct config *c, const char *host)
{
	for (size_t i = 0; i < c->nauth; i++) {
		if (strcmp(c->auth[i].domain, host) == 0)
			return &c->auth[i];
	}
	return NULL;
}

static struct auth_entry *add_auth(struct config *c)
{
	c->auth = xreallocarray(c->auth, c->nauth + 1, sizeof(c->auth[0]));
	c->auth[c->nauth] = (struct auth_entry){ .domain = NULL };
	return &c->auth[c->nauth++];
}

static struct docker_auth_entry *add_docker(struct config *c)
{
	c->docker_auth = xreallocarray(c->docker_auth, c->ndocker_auth + 1, sizeof(c->docker_auth[0]));
	c->docker_auth[c->ndocker_auth] = (struct docker_auth_entry){ NULL, NULL, NULL };
	return &c->docker_auth[c->ndocker_auth++];
}

const struct docker_auth_entry *config_docker_auth(const struct config *c, const char *registry)
{
	for (size_t i = 0; i < c->ndocker_auth; i++) {
		if (strcmp(c->docker_auth[i].registry, registry) == 0)
			return &c->docker_auth[i];
	}
	return NULL;
}

const struct registry_entry *config_registry(const struct config *c, const char *registry)
{
	return registry_entry_find(c->registries, c->nregistries, registry);
}

/* ---- one file ---- */

/* A required member that is not empty; *ret is a heap copy.  The value, which may be a secret, is never quoted. */
static int need_text(const json_t *o, const char *where, const char *key, char **ret, struct err *e)
{
	const char *s = NULL;
	int r = json_get_str(o, where, key, true, &s, e);

	if (r < 0)
		return r;
	if (!*s)
		return err_set(e, ERR_INPUT, EINVAL, "%s.%s: empty", where, key);
	*ret = xstrdup(s);
	return 0;
}

static int read_credentials(const json_t *doc, struct auth_entry *a, struct err *e)
{
	static const char at[] = ".credentials";
	const char *region = "";
	json_t *o = NULL;
	int r = json_get_obj(doc, "", "credentials", true, &o, e);

	if (r < 0)
		return r;
	switch (a->type) {
	case AUTH_BASIC:
		r = need_text(o, at, "user", &a->user, e);
		return r < 0 ? r : need_text(o, at, "password", &a->password, e);
	case AUTH_OAUTH:
		return need_text(o, at, "token", &a->token, e);
	case AUTH_AWS:
		r = need_text(o, at, "accessKeyID", &a->access_key, e);
		if (r == 0)
			r = need_text(o, at, "secretAccessKey", &a->secret_key, e);
		if (r == 0)
			r = json_get_str(o, at, "awsRegion", false, &region, e);
		if (r == 0 && *region)
			a->region = xstrdup(region);
		return r;
	}
	abort();
}

static int read_auth_type(const json_t *doc, enum auth_type *ret, struct err *e)
{
	const char *type = NULL;
	int r = json_get_str(doc, "", "type", true, &type, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(auth_names); i++) {
		if (strcmp(type, auth_names[i]) == 0) {
			*ret = (enum auth_type)i;
			return 0;
		}
	}
	return err_set(e, ERR_INPUT, EINVAL, ".type: \"%.40s\" is not one of basic, oauth, aws", type);
}

/* A list of host names that is not empty and has no empty element. */
static int need_hosts(const json_t *doc, const char *key, char ***ret, struct err *e)
{
	int r = json_get_strv(doc, "", key, true, ret, e);

	if (r == 0 && strv_len(*ret) == 0)
		return err_set(e, ERR_INPUT, EINVAL, ".%s: empty", key);
	for (size_t i = 0; r == 0 && (*ret)[i]; i++) {
		if (!(*ret)[i][0])
			return err_set(e, ERR_INPUT, EINVAL, ".%s[%zu]: empty", key, i);
	}
	return r;
}

static void auth_copy(struct auth_entry *to, const struct auth_entry *from, const char *domain)
{
	*to = (struct auth_entry){ xstrdup(domain),           from->type,           xstrdup(from->user),
				   xstrdup(from->password),   xstrdup(from->token), xstrdup(from->access_key),
				   xstrdup(from->secret_key), xstrdup(from->region) };
}

static int read_auth(const json_t *doc, struct config *layer, struct err *e)
{
	auto_strv domains = NULL;
	struct auth_entry a = { .domain = NULL };
	int r = need_hosts(doc, "domains", &domains, e);

	if (r == 0)
		r = read_auth_type(doc, &a.type, e);
	if (r == 0)
		r = read_credentials(doc, &a, e);
	for (size_t i = 0; r == 0 && domains[i]; i++) {
		if (config_auth(layer, domains[i]))
			r = err_set(e, ERR_INPUT, EEXIST,
				    ".domains[%zu]: \"%.200s\" has credentials in this directory already", i,
				    domains[i]);
		else
			auth_copy(add_auth(layer), &a, domains[i]);
	}
	auth_entry_done(&a);
	return r;
}

static int read_docker_auth(const json_t *doc, struct config *layer, struct err *e)
{
	auto_strv registries = NULL;
	auto_free char *user = NULL, *password = NULL;
	json_t *o = NULL;
	int r = need_hosts(doc, "registries", &registries, e);

	if (r == 0)
		r = json_get_obj(doc, "", "credentials", true, &o, e);
	if (r == 0)
		r = need_text(o, ".credentials", "user", &user, e);
	if (r == 0)
		r = need_text(o, ".credentials", "password", &password, e);
	for (size_t i = 0; r == 0 && registries[i]; i++) {
		if (config_docker_auth(layer, registries[i]))
			return err_set(
				e, ERR_INPUT, EEXIST,
				".registries[%zu]: \"%.200s\" has credentials in this directory already", i,
				registries[i]);
		*add_docker(layer) = (struct docker_auth_entry){ xstrdup(registries[i]), xstrdup(user),
								 xstrdup(password) };
	}
	return r;
}

/* Set *@slot from an optional member; an error if this layer has it already or @valid (may be NULL) fails. */
static int read_once(const json_t *doc, const char *key, bool (*valid)(const char *), const char *rule,
		     char **slot, struct err *e)
{
	const char *s = "";
	int r = json_get_str(doc, "", key, false, &s, e);

	if (r < 0 || !*s)
		return r;
	if (valid && !valid(s))
		return err_set(e, ERR_INPUT, EINVAL, ".%s: \"%.200s\" %s", key, s, rule);
	if (*slot)
		return err_set(e, ERR_INPUT, EEXIST, ".%s: set by another file of this directory already",
			       key);
	*slot = xstrdup(s);
	return 0;
}

static bool absolute(const char *s)
{
	return s[0] == '/';
}

static int read_paths(const json_t *doc, struct config *layer, struct err *e)
{
	static const char rule[] = "is not an absolute path";
	int r = read_once(doc, "data", absolute, rule, &layer->data_dir, e);

	return r < 0 ? r : read_once(doc, "stage1-images", absolute, rule, &layer->stage1_images, e);
}

static bool location_valid(const char *s)
{
	static const char *const schemes[] = { "/", "file://", "http://", "https://", "docker://" };

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		if (strncmp(s, schemes[i], strlen(schemes[i])) == 0)
			return true;
	}
	return false;
}

static int read_stage1(const json_t *doc, struct config *layer, struct err *e)
{
	const char *name = "", *version = "";
	int r = json_get_str(doc, "", "name", false, &name, e);

	if (r == 0)
		r = json_get_str(doc, "", "version", false, &version, e);
	if (r == 0 && (*name == 0) != (*version == 0))
		r = err_set(e, ERR_INPUT, EINVAL, ".name and .version: both or neither expected");
	if (r == 0)
		r = read_once(doc, "name", ac_identifier_valid, "is not an AC identifier",
			      &layer->stage1_name, e);
	if (r == 0)
		r = read_once(doc, "version", NULL, "", &layer->stage1_version, e);
	if (r == 0)
		r = read_once(
			doc, "location", location_valid,
			": default stage1 image location is either a relative path or a URL without scheme",
			&layer->stage1_location, e);
	return r;
}

static int read_registry(const json_t *doc, struct config *layer, struct err *e)
{
	return registry_entries_read(doc, &layer->registries, &layer->nregistries, e);
}

static int read_lookaside(const json_t *doc, struct config *layer, struct err *e)
{
	return lookasides_read(doc, &layer->lookasides, &layer->nlookasides, e);
}

/* ---- directories ---- */

static const struct kind_row {
	const char *kind, *dir;
	int (*read)(const json_t *doc, struct config *layer, struct err *e);
} kinds[] = {
	{ "auth", "auth.d", read_auth },
	{ "dockerAuth", "auth.d", read_docker_auth },
	{ "registry", "registries.d", read_registry },
	{ "lookaside", "registries.d", read_lookaside },
	{ "paths", "paths.d", read_paths },
	{ "stage1", "stage1.d", read_stage1 },
};
static const struct {
	const char *dir;
	enum config_parts unless;
} sub_dirs[] = {
	{ "auth.d", CONFIG_LOCAL },
	{ "registries.d", CONFIG_LOCAL },
	{ "paths.d", CONFIG_ALL },
	{ "stage1.d", CONFIG_ALL },
};

static int read_document(const json_t *doc, const char *dir, struct config *layer, struct err *e)
{
	const char *kind = NULL, *version = NULL;
	int r = json_get_str(doc, "", "rktKind", true, &kind, e);

	if (r == 0)
		r = json_get_str(doc, "", "rktVersion", true, &version, e);
	if (r < 0)
		return r;
	if (strcmp(version, CONFIG_VERSION) != 0)
		return err_set(e, ERR_INPUT, EINVAL, ".rktVersion: \"%.40s\" is not " CONFIG_VERSION,
			       version);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcmp(kind, kinds[i].kind) != 0)
			continue;
		if (strcmp(dir, kinds[i].dir) != 0)
			return err_set(e, ERR_INPUT, EINVAL, ".rktKind: \"%s\" belongs into %s", kind,
				       kinds[i].dir);
		return kinds[i].read(doc, layer, e);
	}
	return err_set(
		e, ERR_INPUT, EINVAL,
		".rktKind: \"%.40s\" is not one of auth, dockerAuth, registry, lookaside, paths, stage1",
		kind);
}

static int read_file(int dirfd, const char *name, const char *dir, struct config *layer, struct err *e)
{
	auto_buf text = BUF_INIT;
	auto_json doc = NULL;
	int r = read_file_at(dirfd, name, CONFIG_FILE_MAX, &text);

	if (r < 0)
		return err_sys(e, -r, "read");
	doc = json_parse(buf_str(&text), text.len, e);
	return doc ? read_document(doc, dir, layer, e) : -e->code;
}

static bool is_config_name(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && strcmp(name + n - 5, ".json") == 0;
}

static int read_sub_dir(const char *top, const char *dir, struct config *layer, struct err *e)
{
	auto_free char *path = xasprintf("%s/%s", top, dir);
	auto_closedir DIR *d = opendir(path);
	auto_strv files = NULL;
	int r;

	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, errno, "read configuration %s", path);
	r = files_in(d, is_config_name, &files);
	if (r < 0)
		return err_sys(e, -r, "read configuration %s", path);
	for (size_t i = 0; files && files[i]; i++) {
		if (read_file(dirfd(d), files[i], dir, layer, e) < 0)
			return err_ctx(e, "configuration %s/%s", path, files[i]);
	}
	return 0;
}

/* ---- layers ---- */

static void replace(char **to, char **from)
{
	if (!*from)
		return;
	free(*to);
	*to = steal_ptr(from);
}

/* Lay @layer over @c and leave nothing in it. */
static void merge(struct config *c, struct config *layer)
{
	lookasides_merge(&c->lookasides, &c->nlookasides, &layer->lookasides, &layer->nlookasides);
	for (size_t i = 0; i < layer->nauth; i++) {
		struct auth_entry *old = (struct auth_entry *)(uintptr_t)config_auth(c,
										     layer->auth[i].domain);

		if (old)
			auth_entry_done(old);
		*(old ? old : add_auth(c)) = layer->auth[i];
	}
	layer->nauth = 0; /* moved */
	for (size_t i = 0; i < layer->ndocker_auth; i++) {
		struct docker_auth_entry *old = (struct docker_auth_entry *)(uintptr_t)config_docker_auth(
			c, layer->docker_auth[i].registry);

		if (old)
			docker_auth_entry_done(old);
		*(old ? old : add_docker(c)) = layer->docker_auth[i];
	}
	layer->ndocker_auth = 0;
	for (size_t i = 0; i < layer->nregistries; i++) {
		struct registry_entry *old = registry_entry_find(c->registries, c->nregistries,
								 layer->registries[i].registry);

		if (old) {
			registry_entry_done(old);
		} else {
			c->registries = xreallocarray(c->registries, c->nregistries + 1, sizeof(*old));
			old = &c->registries[c->nregistries++];
		}
		*old = layer->registries[i];
	}
	layer->nregistries = 0;
	replace(&c->data_dir, &layer->data_dir);
	replace(&c->stage1_images, &layer->stage1_images);
	replace(&c->stage1_name, &layer->stage1_name);
	replace(&c->stage1_version, &layer->stage1_version);
	replace(&c->stage1_location, &layer->stage1_location);
	config_done(layer);
}

int config_load(const char *system_dir, const char *local_dir, const char *user_dir, enum config_parts parts,
		struct config *ret, struct err *e)
{
	const char *tops[] = { system_dir, local_dir, user_dir };
	struct config c = { .auth = NULL }, layer = { .auth = NULL };
	int r = 0;

	for (size_t t = 0; r == 0 && t < ARRAY_LEN(tops); t++) {
		for (size_t d = 0; r == 0 && tops[t] && d < ARRAY_LEN(sub_dirs); d++)
			if (parts == CONFIG_ALL || sub_dirs[d].unless == CONFIG_ALL)
				r = read_sub_dir(tops[t], sub_dirs[d].dir, &layer, e);
		if (r == 0)
			merge(&c, &layer);
	}
	if (r == 0) {
		*ret = c;
	} else {
		config_done(&layer);
		config_done(&c);
	}
	return r;
}

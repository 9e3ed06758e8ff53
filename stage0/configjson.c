/* configjson — the merged configuration as `rkt config` prints it; see config.h. */
#include "base/auto.h"
#include "stage0/config.h"

static const char *auth_name(enum auth_type t)
{
	return t == AUTH_BASIC ? "basic" : t == AUTH_OAUTH ? "oauth" : "aws";
}

static json_t *document(const char *kind)
{
	return json_pack("{s:s, s:s}", "rktKind", kind, "rktVersion", "v1");
}

static void set_text(json_t *o, const char *key, const char *value)
{
	if (value)
		json_object_set_new(o, key, json_string(value));
}

static json_t *auth_to_json(const struct auth_entry *a)
{
	json_t *o = document("auth"), *credentials = json_object();

	json_object_set_new(o, "domains", json_pack("[s]", a->domain));
	json_object_set_new(o, "type", json_string(auth_name(a->type)));
	set_text(credentials, "user", a->user);
	set_text(credentials, "password", a->password);
	set_text(credentials, "token", a->token);
	set_text(credentials, "accessKeyID", a->access_key);
	set_text(credentials, "secretAccessKey", a->secret_key);
	set_text(credentials, "awsRegion", a->region);
	json_object_set_new(o, "credentials", credentials);
	return o;
}

json_t *config_to_json(const struct config *c)
{
	json_t *list = json_array(), *o;

	for (size_t i = 0; i < c->nauth; i++)
		json_array_append_new(list, auth_to_json(&c->auth[i]));
	for (size_t i = 0; i < c->ndocker_auth; i++) {
		const struct docker_auth_entry *d = &c->docker_auth[i];

		o = document("dockerAuth");
		json_object_set_new(o, "registries", json_pack("[s]", d->registry));
		json_object_set_new(o, "credentials",
				    json_pack("{s:s, s:s}", "user", d->user, "password", d->password));
		json_array_append_new(list, o);
	}
	for (size_t i = 0; i < c->nregistries; i++) {
		o = document("registry");
		auto_json more = registry_entry_to_json(&c->registries[i]);
		json_object_update(o, more);
		json_array_append_new(list, o);
	}
	for (size_t i = 0; i < c->nlookasides; i++) {
		o = document("lookaside");
		json_object_set_new(o, "prefixes", json_pack("[s]", c->lookasides[i].prefix));
		set_text(o, "url", c->lookasides[i].url);
		json_array_append_new(list, o);
	}
	o = document("paths");
	set_text(o, "data", c->data_dir);
	set_text(o, "stage1-images", c->stage1_images);
	json_array_append_new(list, o);
	o = document("stage1");
	set_text(o, "name", c->stage1_name);
	set_text(o, "version", c->stage1_version);
	set_text(o, "location", c->stage1_location);
	json_array_append_new(list, o);
	return json_pack("{s:o}", "stage0", list);
}

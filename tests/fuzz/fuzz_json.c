/*
 * Any bytes through the strict JSON loader and the getters: never a crash, and whatever is accepted
 * is printed and read back as the same value.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/strv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void get_all(const json_t *j)
{
	struct err e = ERR_INIT;
	const char *s = NULL;
	int64_t i = 0;
	bool b = false;
	json_t *sub = NULL;
	auto_strv v = NULL;

	(void)json_get_str(j, "", "name", true, &s, &e);
	(void)json_get_int(j, ".app", "port", false, 1, 65535, &i, &e);
	(void)json_get_bool(j, "", "readOnly", false, &b, &e);
	(void)json_get_arr(j, "", "labels", false, &sub, &e);
	(void)json_get_strv(j, "", "exec", false, &v, &e);
	if (json_get_obj(j, "", "app", false, &sub, &e) == 0 && sub)
		(void)json_get_str(sub, ".app", "user", true, &s, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = ERR_INIT;
	auto_json j = json_parse((const char *)data, size, &e);
	auto_free char *line = NULL, *tabs = NULL;

	if (!j) {
		if (e.code == 0 || e.text[0] == '\0')
			abort();
		return 0;
	}
	get_all(j);
	line = json_text(j, JSON_LINE);
	tabs = json_text(j, JSON_TABS);
	auto_json again = json_parse(line, strlen(line), &e);
	auto_json third = json_parse(tabs, strlen(tabs), &e);

	if (!again || !third || !json_equal(again, third))
		abort();
	return 0;
}

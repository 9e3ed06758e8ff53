/* restart — see restart.h. */
#include "stage1/lib/restart.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/num.h"
#include "stage1/contract.h"
#include "stage2/plan.h"

static const struct {
	const char *word;
	uint32_t flag;
} words[] = {
	{ "no", 0 },
	{ "on-failure", PLAN_APP_RESTART_FAILED },
	{ "always", PLAN_APP_RESTART_ALWAYS },
};

int restart_flags(const struct pod_app *a, uint32_t *ret, struct err *e)
{
	const char *value = pairs_get(&a->rt->annotations, CONTRACT_RESTART);
	size_t len = value ? strcspn(value, ":") : 0;
	uint32_t most = 0;

	*ret = 0;
	if (!value)
		return 0;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strlen(words[i].word) != len || strncmp(words[i].word, value, len) != 0)
			continue;
		if (value[len] && (!words[i].flag || parse_u32(value + len + 1, &most) < 0 || most == 0 ||
				   most > PLAN_RESTART_MAX))
			break;
		*ret = words[i].flag | most << PLAN_RESTART_SHIFT;
		return 0;
	}
	return err_set(e, ERR_INPUT, EINVAL,
		       "app \"%s\": annotation %s: \"%.40s\" is not no, on-failure[:N] or always[:N]",
		       a->rt->name, CONTRACT_RESTART, value);
}

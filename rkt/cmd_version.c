/*
 * cmd_version — `rkt version`: five lines, KEY: VALUE.
 */
#include "rkt/commands.h"

#include "base/auto.h"
#include "rkt/output.h"
#include "schema/labels.h"
#include "version.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static int version_run(struct cli *c, struct err *e)
{
	(void)c;
	auto_buf b = BUF_INIT;
	buf_addf(&b, "rkt Version: %s\n", RKT_VERSION);
	buf_addf(&b, "appc Version: %s\n", AC_VERSION);
	buf_addf(&b, "C Compiler: %s\n", COMPILER);
	buf_addf(&b, "OS/Arch: linux/%s\n", host_arch());
	buf_adds(&b, "Features: -TPM -SDJOURNAL\n");
	return output_write(&b, e);
}

const struct command cmd_version = {
	.name = "version",
	.args = "",
	.summary = "Print the version and exit",
	.description =
		"Prints the version of rkt, of the App Container specification that it follows, how it was\n"
		"built and what was built in (+) or left out (-).",
	.run = version_run,
};

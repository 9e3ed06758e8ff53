/*
 * main — make the process sane, whoever started it, then hand over to the command line.
 */
#include <signal.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "rkt/cli.h"

int main(int argc, char **argv)
{
	/* Before any other descriptor exists: a data file must never become descriptor 1 or 2. */
	if (fd_ensure_std() < 0)
		return CLI_EXIT_FAILURE;
	/* Inherited "ignore" would hide a closed pipe and lose the status of our helpers. */
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGCHLD, SIG_DFL);
	/* The modes of the data directory do not depend on the caller's habits. */
	(void)umask(022);
	return cli_main(argc, argv);
}

/* run — the run entrypoint of every flavor; see sandbox.h. */
#include "stage1/lib/flavor.h"

int main(int argc, char **argv)
{
	return sandbox_main(&flavor, argc, argv);
}

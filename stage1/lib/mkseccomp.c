/*
 * mkseccomp — build-time program: print the compiled default filter as a C table.
 */
#include <stdio.h>

#include "stage1/lib/seccomp.h"

int main(void)
{
	struct err e = ERR_INIT;
	struct bpf b = { NULL, 0, NULL };

	if (seccomp_compile_default(&b, &e) < 0) {
		(void)fprintf(stderr, "mkseccomp: %s\n", e.text);
		return 1;
	}
	(void)printf("/* Generated: the default system call filter, compiled. */\n#pragma once\n#include "
		     "<linux/filter.h>\n"
		     "static const struct sock_filter seccomp_default_insn[] = {\n");
	for (size_t i = 0; i < b.n; i++)
		(void)printf("\t{ 0x%x, %u, %u, 0x%x },\n", b.insn[i].code, b.insn[i].jt, b.insn[i].jf,
			     b.insn[i].k);
	(void)printf("};\n");
	bpf_done(&b);
	return 0;
}

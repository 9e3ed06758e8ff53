/*
 * nftab — what nftables has, as far as it concerns us, and the removal of rules: by netlink.
 *
 * For these two things the library would walk everybody's rules.  Here the kernel is asked for the rules of our table and for the
 * names of all chains, no more.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stage1/net/nlsock.h"

#define NFTAB_TABLE "rkt"
#define NFTAB_NAME  32

struct nftab_rule {
	char chain[NFTAB_NAME];
	char comment[64];
	uint64_t handle;
};

struct nftab {
	struct nlsock sock;
	bool table; /* ours is there */
	bool filtered; /* somebody else has a say in what is forwarded: a base chain at that hook with rules or a policy of drop */
	char (*chain)[NFTAB_NAME]; /* of our table */
	size_t nchains;
	struct nftab_rule *rule; /* of our table */
	size_t nrules;
};

#define auto_nftab __attribute__((cleanup(nftab_done))) struct nftab

int nftab_read(struct nftab *ret, struct err *e);
void nftab_done(struct nftab *t);
bool nftab_has_chain(const struct nftab *t, const char *chain);

/* In one transaction: the rules whose comment is @comment, or the whole table if no rule of another pod is there.
 * -ENOENT: they were gone when the kernel looked. */
int nftab_remove(struct nftab *t, const char *comment, struct err *e);

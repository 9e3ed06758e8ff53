/*
 * gpgmake — keys and signatures made by gpg itself, once for a test program.
 *
 * gpgmake_start runs the script below in a scratch directory; every NAME.key is an armored public key,
 * NAME.fpr its fingerprint, and the signatures are over the file "data".
 */
#pragma once

#include <stdint.h>
#include <sys/wait.h>

#include "tests/unit/suite.h"

#include "base/proc.h"

static const char gpgmake_script[] =
	"set -eu\n"
	"export GNUPGHOME=$PWD/home; mkdir -m 700 home; exec >log 2>&1\n"
	"unset DISPLAY; trap 'gpgconf --kill all' EXIT\n"
	"g() { gpg --batch --yes --quiet --pinentry-mode loopback --passphrase '' \"$@\"; }\n"
	"old() { g --faked-system-time 20200101T000000 \"$@\"; }\n"
	"fpr() { gpg --batch --with-colons --list-keys \"=$1 <$1@example.com>\" | awk -F: '/^fpr/{print "
	"tolower($10); exit}'; }\n"
	"out() { fpr $1 | tr -d '\\n' >$1.fpr; g --armor --export $(cat $1.fpr) >$1.key; }\n"
	"new() { g --quick-gen-key \"$1 <$1@example.com>\" ed25519 $2 ${3:-never}; }\n"
	"sign() { g --local-user $1@example.com --output $2 --detach-sign data; }\n"
	"yes line | head -n 15000 >data; echo other >data2\n"
	"new good sign; out good; sign good good.sig\n"
	"g --armor --local-user good@example.com --output good.asc --detach-sign data\n"
	"g --local-user good@example.com --output wrong.sig --detach-sign data2\n"
	"g --armor --local-user good@example.com --output clear.asc --clearsign data2\n"
	"g --armor --local-user good@example.com --output inline.asc --sign data\n"
	"g --local-user good@example.com --output inline.sig --sign data\n"
	"g --textmode --local-user good@example.com --output text.sig --detach-sign data\n"
	"g --digest-algo SHA1 --local-user good@example.com --output sha1.sig --detach-sign data\n"
	"new stranger sign; out stranger; sign stranger stranger.sig\n"
	"cat good.sig stranger.sig >two.sig; cat stranger.sig good.sig >two2.sig\n"
	"cat good.sig wrong.sig >onebad.sig; cat wrong.sig good.sig >onebad2.sig; cat sha1.sig good.sig "
	">weakgood.sig\n"
	"old --quick-gen-key 'expired <expired@example.com>' ed25519 sign 1y; out expired\n"
	"old --local-user expired@example.com --output expired.sig --detach-sign data\n"
	"old --quick-gen-key 'sigexp <sigexp@example.com>' ed25519 sign never; out sigexp\n"
	"old --default-sig-expire 1d --local-user sigexp@example.com --output sigexp.sig --detach-sign data\n"
	"new revoked sign; sign revoked revoked.sig\n"
	"sed 's/^:-----/-----/' home/openpgp-revocs.d/$(fpr revoked | tr a-f A-F).rev | g --import; out "
	"revoked\n"
	"new sub cert; F=$(fpr sub); g --quick-add-key $F ed25519 sign never; out sub; sign sub sub.sig\n"
	"cp sub.key sub-before.key\n"
	"printf 'key 1\\nrevkey\\ny\\n0\\n\\ny\\nsave\\n' | gpg --batch --no-tty --pinentry-mode loopback "
	"--passphrase '' --command-fd 0 --edit-key $F || :\n"
	"g --armor --export $F >subrev.key\n"
	"old --quick-gen-key 'subexp <subexp@example.com>' ed25519 cert never; F=$(fpr subexp)\n"
	"old --quick-add-key $F ed25519 sign 1y; out subexp\n"
	"old --local-user subexp@example.com --output subexp.sig --detach-sign data\n";

/* Run the shell script @text in the directory @fd, before any test; ends the program if it fails. */
static inline void gpgmake_run(int fd, const char *path, const char *text)
{
	struct err e = ERR_INIT;
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)(uintptr_t)text, NULL };
	const struct spawn s = { .path = "/bin/sh", .argv = argv, .env = environ, .cwd_fd = fd };
	struct proc p;
	int status = -1;

	if (proc_spawn(&s, &p, &e) < 0 || proc_wait(&p, 50000, &status, &e) < 0 || status != 0) {
		fprintf(stderr, "gpgmake: status %d in %s: %s\n", status, path, e.text);
		_exit(1);
	}
}

/* An empty scratch directory, before any test. */
static inline int gpgmake_dir(char **path)
{
	const char *tmp = getenv("TMPDIR");
	int fd = -1;

	if (asprintf(path, "%s/rkt-unit-XXXXXX", tmp && *tmp ? tmp : "/tmp") > 0 && mkdtemp(*path))
		fd = open(*path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		_exit(1);
	return fd;
}

static inline int gpgmake_start(char **path)
{
	int fd = gpgmake_dir(path);

	gpgmake_run(fd, *path, gpgmake_script);
	return fd;
}

/* Remove it, after the last test. */
static inline void gpgmake_end(int fd, char *path)
{
	struct err e = ERR_INIT;

	if (rm_tree_at(AT_FDCWD, path, &e) < 0)
		fprintf(stderr, "%s\n", e.text);
	(void)close(fd);
	free(path);
}

/* tty — see tty.h. */
#include "stage1/lib/tty.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fd.h"

#define CHUNK 4096

void tty_resize(const struct tty *t)
{
	struct winsize w;

	if (t->master >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &w) == 0)
		(void)ioctl(t->master, TIOCSWINSZ, &w);
}

void tty_start(struct tty *t, int master)
{
	struct termios raw;

	t->master = master;
	t->in_open = true;
	tty_resize(t);
	if (tcgetattr(STDIN_FILENO, &t->saved) < 0)
		return;
	raw = t->saved;
	cfmakeraw(&raw);
	t->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void tty_input(struct tty *t)
{
	char b[CHUNK];
	ssize_t n = read(STDIN_FILENO, b, sizeof(b));

	if (n > 0)
		(void)write_full(t->master, b, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		t->in_open = false;
}

bool tty_output(struct tty *t)
{
	char b[CHUNK];
	ssize_t n = read(t->master, b, sizeof(b));

	if (n > 0) {
		(void)write_full(STDOUT_FILENO, b, (size_t)n);
		return true;
	}
	return n < 0 && (errno == EINTR || errno == EAGAIN);
}

void tty_stop(struct tty *t)
{
	if (t->raw)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &t->saved);
	t->raw = false;
	fd_close(&t->master);
}

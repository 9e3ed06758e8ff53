/* fuzz_users — an image's /etc/passwd of any content must not upset the look-up. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/fd.h"
#include "stage1/lib/users.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int root = FD_NONE;
	struct err e = ERR_INIT;
	uint32_t id;

	if (root < 0) {
		char dir[] = "/dev/shm/rkt-fuzz-XXXXXX";

		if (!mkdtemp(dir))
			return 0;
		root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		(void)mkdirat(root, "etc", 0755);
	}
	auto_close int fd = openat(root, "etc/passwd", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write_full(fd, data, size) < 0)
		return 0;
	(void)users_uid(root, "joe", &id, &e);
	(void)unlinkat(root, "etc/passwd", 0);
	return 0;
}

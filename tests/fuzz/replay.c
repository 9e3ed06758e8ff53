/*
 * replay — main for a fuzz target without libFuzzer: feeds it files.
 *
 * Usage: fuzz_NAME [FILE|DIRECTORY]...  The input's path is printed before the target sees it, so
 * that a crash names its input.  Always feeds the empty input first.  Exit 1 if a path is unreadable.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* libFuzzer ignores inputs that a target refuses (-1); so do we. */
static int feed_file(const char *path)
{
	FILE *f = fopen(path, "re");
	struct stat st;
	uint8_t *data;
	size_t n;

	if (!f || fstat(fileno(f), &st) < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		if (f)
			(void)fclose(f);
		return 1;
	}
	printf("%s\n", path);
	(void)fflush(stdout);
	/* An allocation of exactly this size lets a sanitizer see a read past the end. */
	data = malloc(st.st_size ? (size_t)st.st_size : 1);
	n = data ? fread(data, 1, (size_t)st.st_size, f) : 0;
	(void)fclose(f);
	if (data)
		(void)LLVMFuzzerTestOneInput(data, n);
	free(data);
	return data ? 0 : 1;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int feed_dir(const char *path, DIR *d)
{
	char *names[4096];
	size_t n = 0;
	int bad = 0;

	for (struct dirent *e; n < 4096 && (e = readdir(d));) {
		if (e->d_name[0] != '.')
			names[n++] = strdup(e->d_name);
	}
	qsort(names, n, sizeof(names[0]), by_name);
	for (size_t i = 0; i < n; i++) {
		char file[4096];
		(void)snprintf(file, sizeof(file), "%s/%s", path, names[i]);
		bad |= feed_file(file);
		free(names[i]);
	}
	return bad;
}

int main(int argc, char **argv)
{
	int bad = 0;

	(void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		bad |= d ? feed_dir(argv[i], d) : feed_file(argv[i]);
		if (d)
			(void)closedir(d);
	}
	return bad;
}

/* Stands in for libFuzzer where the compiler has none: feeds a target every file of the folders named, every beginning of
 * each, and seeded mutations of each. Arguments that begin with '-' are libFuzzer's and are passed over. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { PREFIXES = 512, MUTATIONS = 200, MUTATIONS_LONG = 20000, BYTES = 1 << 20 };

/* xorshift64*: the same numbers on every machine. */
static uint64_t state = 0x9e3779b97f4a7c15;

static uint64_t random_below(uint64_t n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1d >> 11) % n;
}

/* A block of exactly n bytes, so that a sanitizer sees the first byte read beyond it. */
static void feed(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);
	if (!copy)
		abort();
	memcpy(copy, data, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static void mutate(const uint8_t *data, size_t n, uint8_t *work)
{
	size_t m = n;
	memcpy(work, data, n);
	for (uint64_t times = 1 + random_below(4); times > 0 && m > 0; times--) {
		size_t at = random_below(m), length = 1 + random_below(m - at < 16 ? m - at : 16);
		switch (random_below(4)) {
		case 0:
			work[at] ^= (uint8_t)(1u << random_below(8));
			break;
		case 1:
			work[at] = (uint8_t)random_below(256);
			break;
		case 2:
			memmove(work + at, work + at + length, m - at - length);
			m -= length;
			break;
		default:
			memmove(work + at + length, work + at, m - at);
			m += length;
		}
	}
	feed(work, m);
}

static int replay_file(const char *path, unsigned mutations)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(BYTES), *work = malloc(BYTES + 64);
	if (!f || !data || !work) {
		perror(path);
		exit(1);
	}
	size_t n = fread(data, 1, BYTES, f);
	fclose(f);
	feed(data, n);
	for (size_t i = 0; i < n && i < PREFIXES; i++)
		feed(data, i);
	for (unsigned i = 0; i < mutations; i++)
		mutate(data, n, work);
	free(data);
	free(work);
	return 1;
}

static int replay_folder(const char *path, unsigned mutations)
{
	struct dirent **entries;
	int n = scandir(path, &entries, NULL, alphasort), found = 0;
	if (n < 0) {
		perror(path);
		exit(1);
	}
	for (int i = 0; i < n; i++) {
		char file[4096];
		if (entries[i]->d_name[0] != '.') {
			snprintf(file, sizeof file, "%s/%s", path, entries[i]->d_name);
			found += replay_file(file, mutations);
		}
		free(entries[i]);
	}
	free(entries);
	return found;
}

int main(int argc, char **argv)
{
	int found = 0;
	for (int i = 1; i < argc; i++)
		if (argv[i][0] != '-')
			found += replay_folder(argv[i], getenv("FW_LONG") ? MUTATIONS_LONG : MUTATIONS);
	printf("%d files\n", found);
	return found > 0 ? 0 : 1;
}

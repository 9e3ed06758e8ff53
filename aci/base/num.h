/*
 * num — strict text to number, and back.
 *
 * No leading space, no trailing junk, no overflow: every function returns 0 or -EINVAL / -ERANGE
 * and leaves *ret alone on failure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

int parse_u32(const char *s, uint32_t *ret); /* decimal digits only */
int parse_u64(const char *s, uint64_t *ret);
int parse_i64(const char *s, int64_t *ret); /* one leading '-' allowed */

/* A uid or gid: decimal digits without leading zero (but "0"), at most 2^32-2 (threats.md R22). */
int parse_id(const char *s, uint32_t *ret);

/* Octal permission text such as "0755", at most 07777. */
int parse_mode(const char *s, uint32_t *ret);

/* 1 t T TRUE true True 0 f F FALSE false False (cli.md section 2). */
int parse_bool(const char *s, bool *ret);

/* Go duration text: "300ms", "1.5h", "2h45m", "0", "-1s"; result in nanoseconds. */
int parse_duration(const char *s, int64_t *ret_ns);
/* Go duration text: 30m0s, 24h0m0s, 1.5s, 100ms, 0s; the caller frees. */
char *format_duration(int64_t ns);

/* 1024-based size as in cli.md section 4.2: "79MiB", "1.2KiB", "12B"; the caller frees. */
char *format_size(uint64_t bytes);

/*
 * log — diagnostics on standard error, one record a line, control bytes escaped.
 *
 * Library code calls only log_debug (and log_warn where the contract of a function says so); the
 * mains print errors.  Lines look like "rkt: run: text".
 */
#pragma once

enum log_level { LOG_QUIET, LOG_NORMAL, LOG_VERBOSE };

/* @prefix is borrowed for the life of the process, e.g. "rkt: run" or "stage1". */
void log_setup(const char *prefix, enum log_level level);
enum log_level log_get_level(void);
const char *log_get_prefix(void);

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Only with --debug. */
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

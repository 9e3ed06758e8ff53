/*
 * output — results on standard output: whole texts, listings and JSON (cli.md section 4).
 *
 * Results are collected and written at once, so that a full disk or a closed pipe is noticed and
 * an error leaves no half of a listing behind.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/opt.h"
#include "schema/ids.h"

enum output_format { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_JSON_PRETTY };

/* Values of --format; pass as .choices. */
extern const char *const output_formats[];

/* @text: value of --format, already one of output_formats; NULL or "" is text. */
enum output_format output_format_of(const char *text);

/* Write everything; ERR_SYS naming standard output. */
int output_write(const struct buf *b, struct err *e);
int output_line(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The document and a newline; the reference is stolen. */
int output_json(json_t *doc, enum output_format format, struct err *e);

/* Digits of an id in listings and in the output of fetch. */
enum { OUTPUT_ID_LIST = 12, OUTPUT_ID_FETCH = 32 };

/* "sha512-" and the first @digits digits; the whole id if @full.  @out has room for an id. */
void output_image_id(const char *id, bool full, size_t digits, char out[IMAGE_ID_LEN + 1]);

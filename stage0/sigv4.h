/*
 * sigv4 — AWS Signature Version 4 for GET requests to S3 (header form, empty body).
 *
 * Source: Amazon S3 API reference, "Authenticating Requests: Using the Authorization Header".
 */
#pragma once

#include <time.h>

struct sigv4 {
	const char *access_key, *secret_key, *region;
	const char *host;  /* as in the Host header */
	const char *path;  /* as in the URL, starts with '/' */
	const char *query; /* as in the URL, or NULL */
	time_t when;
};

/* Append the header lines x-amz-date, x-amz-content-sha256 and Authorization to the strv @headers. */
void sigv4_headers(const struct sigv4 *s, char ***headers);
/* Region that an S3 host name tells, else "us-east-1"; heap. */
char *sigv4_region_of_host(const char *host);

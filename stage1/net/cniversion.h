/*
 * cniversion — the versions of CNI that we speak, in their order (formats.md section 15.1).
 */
#pragma once

#include "base/err.h"

enum cni_version { CNI_0_1_0, CNI_0_2_0, CNI_0_3_0, CNI_0_3_1, CNI_0_4_0, CNI_1_0_0 };

#define CNI_VERSION_DEFAULT "0.1.0" /* of a configuration that names none */

/* enum cni_version of @text, or -EPROTONOSUPPORT: newer than all of them, or no version at all. */
int cni_version_parse(const char *text, struct err *e);
const char *cni_version_text(enum cni_version v);

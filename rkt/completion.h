/*
 * completion — the bash completion script, written from the tables of all commands.
 */
#pragma once

#include "base/buf.h"

void completion_bash(struct buf *out);

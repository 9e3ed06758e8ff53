/*
 * attach — what `rkt attach` and the supervisor say to each other.
 *
 * The supervisor of a pod that has something to attach to listens on CONTRACT_FILE_ATTACH in the pod directory, a
 * SOCK_SEQPACKET socket that only root reaches and that no pod sees.  A client sends one struct attach_call and gets
 * ATTACH_OK or ATTACH_REFUSED; then both send frames until one closes the connection.
 */
#pragma once

#include <stdint.h>

enum attach_bit {
	ATTACH_STDIN = 1,
	ATTACH_STDOUT = 2,
	ATTACH_STDERR = 4,
	ATTACH_TTY_IN = 8,
	ATTACH_TTY_OUT = 16,
	ATTACH_ALL = 31,
};

#define ATTACH_VERSION  1
#define ATTACH_DATA_MAX 4096 /* bytes of one frame */

struct attach_call {
	uint32_t version;
	uint32_t want; /* enum attach_bit; 0: only say what there is */
	char app[128];
};

enum attach_kind {
	ATTACH_OK = 1,  /* number: what the app offers, enum attach_bit */
	ATTACH_REFUSED, /* data: why, text */
	ATTACH_DATA,    /* number: the one bit it is of */
	ATTACH_SIZE,    /* number: rows << 16 | columns of the client's terminal */
	ATTACH_END,     /* the app has ended */
};

struct attach_frame {
	uint32_t kind;
	uint32_t number;
	char data[ATTACH_DATA_MAX]; /* as much as was sent */
};
#define ATTACH_HEAD 8u /* bytes before the data */

/* record — see record.h. */
#include "stage1/net/record.h"

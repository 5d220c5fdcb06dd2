// Memory of the calling thread for packed operands: grown when asked for more, freed when the thread ends.
#ifndef FRESHET_SCRATCH_H
#define FRESHET_SCRATCH_H

#include <stddef.h>

// At least `bytes` bytes aligned to 64, or NULL where the system has none. The next call for the same slot may move it.
void *fk_scratch(int slot, size_t bytes);

enum { FK_SCRATCH_PACKED_A, FK_SCRATCH_PACKED_B, FK_SCRATCH_LOSS, FK_SCRATCH_ATTENTION, FK_SCRATCH_SLOTS };

#endif

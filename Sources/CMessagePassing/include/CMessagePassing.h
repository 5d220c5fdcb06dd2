#ifndef FRESHET_MESSAGE_PASSING_H
#define FRESHET_MESSAGE_PASSING_H

// OpenMPI, loaded when a training asks for it: nothing links against it, and a machine that only serves does not need it. The calls
// below are the collective ones that a training uses, in their non-blocking form, so that waiting can end when a rank is lost. One
// of them is under way at a time, and one thread makes them all.

// Loads the library and joins the ranks that mpirun started. Returns null, or what was wrong, in words that stay valid.
const char *freshet_mpi_join(void);

// This process among the ranks, from 0, and how many there are.
int freshet_mpi_rank(void);
int freshet_mpi_size(void);

// Each returns 0 or OpenMPI's error code. Buffers stay untouched by the caller until freshet_mpi_is_done says so.
int freshet_mpi_start_exchange(const void *send, void *receive, int block_bytes);
// counts and offsets: of each rank's bytes in `send` and in `receive`.
int freshet_mpi_start_exchange_parts(
    const void *send, const int *send_counts, const int *send_offsets, void *receive, const int *counts, const int *offsets);
// counts and offsets: of each rank's bytes in `receive`.
int freshet_mpi_start_gather(const void *send, int send_bytes, void *receive, const int *counts, const int *offsets);
int freshet_mpi_start_broadcast(void *bytes, int count);

// Sets `done` to 1 once the call under way has ended.
int freshet_mpi_is_done(int *done);

// The words of an error code, valid until the next call.
const char *freshet_mpi_words(int code);

// Leaves in order: all ranks do.
int freshet_mpi_leave(void);

// Ends all ranks, this one too, with an exit status.
void freshet_mpi_abort(int status);

#endif

#include "CMessagePassing.h"
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>

// OpenMPI's handles are addresses: of exported objects for what is predefined, of its own for requests. This holds for its versions 1
// to 5, whose library is named libmpi.so.40 since version 3.
typedef void *handle;

static struct {
    int (*initialised)(int *);
    int (*init)(int *, char ***, int, int *);
    int (*finalize)(void);
    int (*abort)(handle, int);
    int (*rank)(handle, int *);
    int (*size)(handle, int *);
    int (*set_error_handler)(handle, handle);
    int (*error_string)(int, char *, int *);
    int (*exchange)(const void *, int, handle, void *, int, handle, handle, handle *);
    int (*exchange_parts)(
        const void *, const int *, const int *, handle, void *, const int *, const int *, handle, handle, handle *);
    int (*gather)(const void *, int, handle, void *, const int *, const int *, handle, handle, handle *);
    int (*broadcast)(void *, int, handle, int, handle, handle *);
    int (*test)(handle *, int *, void *);
    handle world, byte, errors_return;
} mpi;

static handle request;
static int own_rank, all_ranks;
static char words[1024];

static const char *names[] = {"libmpi.so.40", "libmpi.so", "libmpi.dylib"};

const char *freshet_mpi_join(void) {
    void *library = NULL;
    for (size_t index = 0; index < sizeof names / sizeof *names && !library; index++) {
        // Global: OpenMPI's own plug-ins look for its symbols.
        library = dlopen(names[index], RTLD_NOW | RTLD_GLOBAL);
    }
    if (!library) {
        const char *reason = dlerror();
        snprintf(words, sizeof words, "its library cannot be loaded: %s", reason ? reason : "no reason is given");
        return words;
    }
    const struct { const char *name; void **place; } symbols[] = {
        {"MPI_Initialized", (void **)&mpi.initialised}, {"MPI_Init_thread", (void **)&mpi.init},
        {"MPI_Finalize", (void **)&mpi.finalize}, {"MPI_Abort", (void **)&mpi.abort},
        {"MPI_Comm_rank", (void **)&mpi.rank}, {"MPI_Comm_size", (void **)&mpi.size},
        {"MPI_Comm_set_errhandler", (void **)&mpi.set_error_handler}, {"MPI_Error_string", (void **)&mpi.error_string},
        {"MPI_Ialltoall", (void **)&mpi.exchange}, {"MPI_Ialltoallv", (void **)&mpi.exchange_parts},
        {"MPI_Iallgatherv", (void **)&mpi.gather},
        {"MPI_Ibcast", (void **)&mpi.broadcast}, {"MPI_Test", (void **)&mpi.test},
        {"ompi_mpi_comm_world", &mpi.world}, {"ompi_mpi_byte", &mpi.byte}, {"ompi_mpi_errors_return", &mpi.errors_return},
    };
    for (size_t index = 0; index < sizeof symbols / sizeof *symbols; index++) {
        *symbols[index].place = dlsym(library, symbols[index].name);
        if (!*symbols[index].place) {
            snprintf(words, sizeof words, "its library has no %s; OpenMPI 3 or newer has", symbols[index].name);
            return words;
        }
    }
    int is_joined = 0, level = 0;
    mpi.initialised(&is_joined);
    // 1: threads exist, and the one that joined makes the calls.
    if (!is_joined && mpi.init(NULL, NULL, 1, &level)) return "MPI_Init_thread failed";
    if (mpi.rank(mpi.world, &own_rank) || mpi.size(mpi.world, &all_ranks)) return "MPI_Comm_rank failed";
    mpi.set_error_handler(mpi.world, mpi.errors_return);
    return NULL;
}

int freshet_mpi_rank(void) { return own_rank; }
int freshet_mpi_size(void) { return all_ranks; }

int freshet_mpi_start_exchange(const void *send, void *receive, int block_bytes) {
    return mpi.exchange(send, block_bytes, mpi.byte, receive, block_bytes, mpi.byte, mpi.world, &request);
}

int freshet_mpi_start_exchange_parts(
    const void *send, const int *send_counts, const int *send_offsets, void *receive, const int *counts, const int *offsets) {
    return mpi.exchange_parts(
        send, send_counts, send_offsets, mpi.byte, receive, counts, offsets, mpi.byte, mpi.world, &request);
}

int freshet_mpi_start_gather(const void *send, int send_bytes, void *receive, const int *counts, const int *offsets) {
    return mpi.gather(send, send_bytes, mpi.byte, receive, counts, offsets, mpi.byte, mpi.world, &request);
}

int freshet_mpi_start_broadcast(void *bytes, int count) {
    return mpi.broadcast(bytes, count, mpi.byte, 0, mpi.world, &request);
}

int freshet_mpi_is_done(int *done) { return mpi.test(&request, done, NULL); }

const char *freshet_mpi_words(int code) {
    int length = 0;
    char text[512] = "";
    if (!mpi.error_string || mpi.error_string(code, text, &length)) return "an unknown error";
    snprintf(words, sizeof words, "%.500s", text);
    return words;
}

int freshet_mpi_leave(void) { return mpi.finalize ? mpi.finalize() : 0; }

void freshet_mpi_abort(int status) {
    if (mpi.abort) mpi.abort(mpi.world, status);
}

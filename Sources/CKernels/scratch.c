#include "scratch.h"
#include <pthread.h>
#include <stdlib.h>

static _Thread_local struct {
    void *start[FK_SCRATCH_SLOTS];
    size_t bytes[FK_SCRATCH_SLOTS];
} scratch;

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void release(void *unused) {
    (void)unused;
    for (int i = 0; i < FK_SCRATCH_SLOTS; i++) {
        free(scratch.start[i]);
        scratch.start[i] = NULL;
        scratch.bytes[i] = 0;
    }
}

static void make_key(void) { pthread_key_create(&key, release); }

void *fk_scratch(int slot, size_t bytes) {
    if (scratch.bytes[slot] >= bytes) return scratch.start[slot];
    pthread_once(&once, make_key);
    // Any value but NULL makes the destructor run at the end of the thread.
    pthread_setspecific(key, &key);
    size_t size = (bytes + bytes / 4 + 4095) & ~(size_t)4095;
    void *start = NULL;
    if (posix_memalign(&start, 64, size) != 0) return NULL;
    free(scratch.start[slot]);
    scratch.start[slot] = start;
    scratch.bytes[slot] = size;
    return start;
}

#include "CKernels.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

// A fork-join pool. Between calls its threads look at the next job for a few microseconds and then sleep in the kernel, so
// that an idle pool costs nothing and another process keeps its cores. Whoever is free takes the next slot, the caller too:
// a worker that wakes late, because the machine is busy, holds nobody up. The pool's threads end with the process.

// About 5 microseconds: calls that follow each other closely skip the wake-up; longer would take time from others.
enum { SPINS_BEFORE_SLEEP = 400 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t started = PTHREAD_COND_INITIALIZER, finished = PTHREAD_COND_INITIALIZER;

// The job, guarded by `lock`. A job ends only when each of its slots is done, so what is read together with taking a slot
// stays valid until that slot is done.
static struct {
    void (*body)(void *, int32_t);
    void *context;
    int32_t slots, next; // slots from `next` on are free to take
} job;
static int32_t workers; // threads that exist, guarded by `lock`

// Written under `lock`; read without it only to decide whether to go on looking.
static _Atomic uint64_t generation;
static _Atomic int32_t unfinished;

static atomic_flag busy = ATOMIC_FLAG_INIT;
static _Atomic int32_t default_threads = 1;

static inline void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// Takes free slots and works on them until there are none. Called and left with the lock held.
static void take_slots(void) {
    while (job.next < job.slots) {
        int32_t slot = job.next++;
        void (*body)(void *, int32_t) = job.body;
        void *context = job.context;
        pthread_mutex_unlock(&lock);
        body(context, slot);
        pthread_mutex_lock(&lock);
        if (atomic_fetch_sub(&unfinished, 1) == 1) pthread_cond_signal(&finished);
    }
}

static void *work(void *unused) {
    (void)unused;
    uint64_t seen = 0;
    for (;;) {
        for (int i = 0; i < SPINS_BEFORE_SLEEP && atomic_load(&generation) == seen; i++) pause_briefly();
        pthread_mutex_lock(&lock);
        while (atomic_load(&generation) == seen) pthread_cond_wait(&started, &lock);
        seen = atomic_load(&generation);
        take_slots();
        pthread_mutex_unlock(&lock);
    }
    return NULL;
}

// Starts workers up to `wanted`, or fewer where the system refuses. Called with the lock held.
static void grow(int32_t wanted) {
    while (workers < wanted) {
        pthread_t thread;
        pthread_attr_t attributes;
        sigset_t all, before;
        // Signals belong to the program's own threads.
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        pthread_attr_init(&attributes);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_attr_setstacksize(&attributes, 8u << 20);
        int failed = pthread_create(&thread, &attributes, work, NULL);
        pthread_attr_destroy(&attributes);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (failed) return;
        workers++;
    }
}

void fk_pool_run(int32_t slots, void (*body)(void *context, int32_t slot), void *context) {
    if (slots <= 1 || slots > FK_POOL_LIMIT_THREADS || atomic_flag_test_and_set_explicit(&busy, memory_order_acquire)) {
        for (int32_t slot = 0; slot < slots; slot++) body(context, slot);
        return;
    }
    pthread_mutex_lock(&lock);
    job.body = body;
    job.context = context;
    job.slots = slots;
    job.next = 0;
    atomic_store(&unfinished, slots);
    atomic_fetch_add(&generation, 1);
    grow(slots - 1);
    for (int32_t i = 1; i < slots; i++) pthread_cond_signal(&started);
    take_slots();
    pthread_mutex_unlock(&lock);

    for (int i = 0; i < SPINS_BEFORE_SLEEP && atomic_load(&unfinished) != 0; i++) pause_briefly();
    pthread_mutex_lock(&lock);
    while (atomic_load(&unfinished) != 0) pthread_cond_wait(&finished, &lock);
    pthread_mutex_unlock(&lock);
    atomic_flag_clear_explicit(&busy, memory_order_release);
}

int32_t fk_default_threads(void) { return atomic_load_explicit(&default_threads, memory_order_relaxed); }

void fk_set_default_threads(int32_t threads) {
    if (threads < 1) threads = 1;
    if (threads > FK_POOL_LIMIT_THREADS) threads = FK_POOL_LIMIT_THREADS;
    atomic_store_explicit(&default_threads, threads, memory_order_relaxed);
}

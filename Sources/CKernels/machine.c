#include "CKernels.h"
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

const char *fk_instruction_set(void) {
#if defined(__x86_64__) && defined(__ELF__)
    if (__builtin_cpu_supports("x86-64-v4")) return "x86-64-v4";
    if (__builtin_cpu_supports("x86-64-v3")) return "x86-64-v3";
    return "x86-64";
#elif defined(__x86_64__)
    return "x86-64";
#elif defined(__aarch64__)
    return "arm64";
#else
    return "generic";
#endif
}

const char *fk_environment(const char *name) { return getenv(name); }

void fk_keep_freed_memory(size_t bytes) {
#ifdef __GLIBC__
    // Blocks of up to 32 MiB, the most that glibc allows, come from the heap, and the heap is cut only beyond `bytes`.
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, bytes > 0x7fffffff ? 0x7fffffff : (int)bytes);
#else
    (void)bytes;
#endif
}

void fk_return_large_blocks(size_t bytes) {
#ifdef __GLIBC__
    // Set once, it no longer grows with what is freed.
    mallopt(M_MMAP_THRESHOLD, bytes > (32 << 20) ? 32 << 20 : (int)bytes);
#else
    (void)bytes;
#endif
}

void fk_limit_arenas(int count) {
#ifdef __GLIBC__
    mallopt(M_ARENA_MAX, count);
#else
    (void)count;
#endif
}

void fk_return_freed_memory(void) {
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

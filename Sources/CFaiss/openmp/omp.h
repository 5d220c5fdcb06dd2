// The few OpenMP declarations that FAISS's headers and this target use, for a compiler that links GNU's libgomp and does not
// find its omp.h. Names and types are those of the OpenMP API and of libgomp's ABI on Linux.
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
    unsigned char state[4] __attribute__((aligned(4)));
} omp_lock_t;

int omp_get_max_threads(void);
void omp_set_num_threads(int threads);

#ifdef __cplusplus
}
#endif

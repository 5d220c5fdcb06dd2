// cblas.h declares both the CBLAS calls and OpenBLAS's own (threads, core name). It is found by pkg-config `openblas`.
#include <cblas.h>
#include <stddef.h>

// Of LAPACK, which OpenBLAS holds too and for which no header need be installed: the Cholesky factor of a symmetric positive
// definite matrix, and the inverse from it. Fortran calls: everything by address, matrices by columns, the lengths of texts last.
void spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info, size_t uplo_length);
void spotri_(const char *uplo, const int *n, float *a, const int *lda, int *info, size_t uplo_length);

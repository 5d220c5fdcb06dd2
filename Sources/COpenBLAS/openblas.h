// cblas.h declares both the CBLAS calls and OpenBLAS's own (threads, core name). It is found by pkg-config `openblas`.
#include <cblas.h>

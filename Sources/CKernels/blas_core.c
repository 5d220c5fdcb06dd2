// OpenBLAS chooses its loops by a list of processor models. A processor that is younger than the list gets those of the oldest
// one, which are many times slower and, of OpenBLAS 0.3.21, break off in triangular solves. What a processor can do says more
// than its model: before main, loops that fit it are put in the place of such a choice.
#include "CKernels.h"
#include <stdlib.h>
#include <string.h>

const char *fk_fitting_core(const char *chosen, const char *instruction_set, int has_bfloat16) {
    static const char *const old[] = {
        "Prescott", "Katmai", "Coppermine", "Northwood", "Banias", "Core2", "Penryn", "Dunnington", "Nehalem", "Sandybridge", "Atom",
        "Nano", "Athlon", "Opteron", "Opteron_SSE3", "Barcelona", "Bobcat", "Bulldozer", "Piledriver"};
    int is_old = 0;
    for (size_t i = 0; i < sizeof old / sizeof *old; i++) is_old |= strcmp(chosen, old[i]) == 0;
    if (!is_old) return NULL;
    if (strcmp(instruction_set, "x86-64-v4") == 0) return has_bfloat16 ? "Cooperlake" : "SkylakeX";
    if (strcmp(instruction_set, "x86-64-v3") == 0) return "Haswell";
    return NULL;
}

#if defined(__x86_64__) && defined(__ELF__)
// Only an OpenBLAS that was built for many processors has them all.
extern char *openblas_get_corename(void) __attribute__((weak));
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

// Before the constructors of any library: OpenBLAS has no threads yet that could meet the change. Its own constructor leaves loops alone
// that were chosen already.
static void choose_fitting_core(void) {
    static const char variable[] = "OPENBLAS_CORETYPE";
    if (!openblas_get_corename || !gotoblas_dynamic_init || !gotoblas_dynamic_quit) return;
    // Whoever says what they want gets it.
    const char *wish = getenv(variable);
    if (wish && *wish) return;
    __builtin_cpu_init();
    gotoblas_dynamic_init();
    const char *core = fk_fitting_core(openblas_get_corename(), fk_instruction_set(), __builtin_cpu_supports("avx512bf16"));
    if (!core || setenv(variable, core, 1) != 0) return;
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv(variable);
}

__attribute__((section(".preinit_array"), used)) static void (*const before_constructors)(void) = choose_fitting_core;
#endif

#define _GNU_SOURCE
#include "CBrokerPort.h"

#if defined(__linux__)

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static char *const *begin_with;
static char program[4096];

// Descriptors that came with the process belong to whoever started it, who may watch one to learn of its end.
enum { first_own = 3, max_inherited = 256 };
static char inherited[max_inherited];

__attribute__((constructor)) static void note_inherited(void) {
    for (int descriptor = first_own; descriptor < max_inherited; descriptor++)
        inherited[descriptor] = fcntl(descriptor, F_GETFD) != -1;
}

static void close_between(unsigned first, unsigned last) {
    if (first > last || syscall(SYS_close_range, first, last, 0u) == 0) return;
    struct rlimit limit;
    unsigned end = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 1u << 20 ? (unsigned)limit.rlim_cur : 1u << 20;
    for (unsigned descriptor = first; descriptor <= last && descriptor < end; descriptor++) close((int)descriptor);
}

// Only calls that a signal handler may make.
static void begin_again(int number) {
    if (freshet_is_mock_thread() && begin_with) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, 0);
        // The new program hears of a stop from its first moment on.
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        unsigned first = first_own;
        for (unsigned descriptor = first_own; descriptor < max_inherited; descriptor++) {
            if (!inherited[descriptor]) continue;
            close_between(first, descriptor - 1);
            first = descriptor + 1;
        }
        close_between(first, ~0u);
        execv(program, begin_with);
        // The file was moved or replaced meanwhile.
        execv("/proc/self/exe", begin_with);
    }
    signal(number, SIG_DFL);
    raise(number);
}

int freshet_begin_again_after_failure(char *const *arguments) {
    begin_with = arguments;
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = 0;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = begin_again;
    sigemptyset(&action.sa_mask);
    int signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE};
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
    return 0;
}

#else

int freshet_begin_again_after_failure(char *const *arguments) {
    (void)arguments;
    return -1;
}

#endif

/*
 * Loaded before libfaketime, which converts the deadlines of all timers as if they were of the wall clock, and does not see threads.h.
 * A step of a real clock moves no steady timer, and moves the deadlines of cnd_timedwait with the clock they came from: so it is here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <threads.h>
#include <unistd.h>

int timerfd_settime(int descriptor, int flags, const struct itimerspec *next, struct itimerspec *before) {
    return (int)syscall(SYS_timerfd_settime, descriptor, flags, next, before);
}

int timerfd_gettime(int descriptor, struct itimerspec *now) {
    return (int)syscall(SYS_timerfd_gettime, descriptor, now);
}

/* glibc's cnd_t and mtx_t are these types; libfaketime converts the deadline of this call. */
int cnd_timedwait(cnd_t *restrict condition, mtx_t *restrict mutex, const struct timespec *restrict deadline) {
    switch (pthread_cond_timedwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, deadline)) {
    case 0: return thrd_success;
    case ETIMEDOUT: return thrd_timedout;
    default: return thrd_error;
    }
}

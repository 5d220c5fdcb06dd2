#define _GNU_SOURCE
#include "CBrokerPort.h"

#if defined(__linux__)

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// One per thread, so that no other thread's sockets are touched while a broker starts.
static _Thread_local int lent = -1;
static _Thread_local int taken = 0;

int freshet_broker_port_supported(void) { return 1; }

void freshet_broker_port_lend(int listener) {
    lent = listener;
    taken = 0;
}

int freshet_broker_port_end(void) {
    lent = -1;
    return taken;
}

static int asks_for_any_loopback_port(const struct sockaddr *address, socklen_t length) {
    if (address == 0 || length < sizeof(struct sockaddr_in) || address->sa_family != AF_INET) return 0;
    const struct sockaddr_in *in = (const struct sockaddr_in *)address;
    return in->sin_port == 0 && in->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
}

int bind(int descriptor, const struct sockaddr *address, socklen_t length) {
    if (lent >= 0 && asks_for_any_loopback_port(address, length)) {
        int listener = lent;
        lent = -1;
        // The bound socket takes the place of the one that was to be bound: no moment in which the port is free again.
        if (dup3(listener, descriptor, O_CLOEXEC) < 0) return -1;
        taken = 1;
        return 0;
    }
    return (int)syscall(SYS_bind, descriptor, address, length);
}

#else

int freshet_broker_port_supported(void) { return 0; }
void freshet_broker_port_lend(int listener) { (void)listener; }
int freshet_broker_port_end(void) { return 0; }

#endif

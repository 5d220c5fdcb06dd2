#ifndef FRESHET_BROKER_PORT_H
#define FRESHET_BROKER_PORT_H

// librdkafka's mock cluster always binds its listener to a random port on loopback, and no API changes that. On Linux this
// target defines `bind` in the executable, which the dynamic linker prefers over libc's for the calls that librdkafka makes.
// Every call goes straight to the kernel, except one: the next bind of an IPv4 loopback address with port 0 on a thread that
// has lent a socket.

/// Whether a socket can be lent on this platform.
int freshet_broker_port_supported(void);

/// Lends `listener`, a socket that is bound already, to the next matching bind on this thread. The caller keeps its own
/// descriptor and closes it later.
void freshet_broker_port_lend(int listener);

/// Ends the loan. Returns 1 where a bind took the socket, 0 where none did.
int freshet_broker_port_end(void);

#endif

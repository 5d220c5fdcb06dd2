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

// The mock cluster of librdkafka 2.0.2 ends the process by an assertion where a member of a consumer group joins while an earlier
// request of the same member waits for its answer: it does not notice that the connection of that request was closed, and it makes
// member ids of addresses, which come again. On Linux this target defines `recvmsg` and `sendmsg` as well; every call goes
// straight to the kernel. On a mock cluster's thread such a member gets a new id before the mock cluster sees the request: a
// joining one becomes a new member, and one that asks for its assignment is told to join again.

/// How many members this process has given a new id.
unsigned freshet_renamed_members(void);

/// Whether the calling thread is a mock cluster's.
int freshet_is_mock_thread(void);

/// From now on a failure on a mock cluster's thread (an assertion, a fault of memory) begins this program again in the same
/// process, with `arguments`, a list that ends with null and stays where it is. Everything but the three standard descriptors is
/// closed first. Failures of other threads end the process as before. Returns 0, or -1 where the platform has no such thing.
int freshet_begin_again_after_failure(char *const *arguments);

#endif

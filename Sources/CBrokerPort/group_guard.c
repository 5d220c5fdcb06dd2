#define _GNU_SOURCE
#include "CBrokerPort.h"

#if defined(__linux__)

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { join_group = 11, sync_group = 14, header_bytes = 12, peeked_bytes = 2048, max_waiting = 512 };

// A request of a member that the mock cluster answers later, on the connection that it came by.
struct waiting {
    pthread_t thread;
    uint64_t member;
    uint32_t correlation;
    int descriptor;
    uint16_t peer_port;
    int16_t api;
};

static struct waiting waiting[max_waiting];
static atomic_int waiting_count;
static atomic_uint renamed_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// What the next read of a connection has to change: a member id, `offset` bytes from where that read begins.
static _Thread_local struct {
    int descriptor;
    size_t offset, length, done;
    uint32_t number;
} renaming = {.descriptor = -1};

// A mock cluster does all its reading and writing on one thread, which bears this name before its first connection.
int freshet_is_mock_thread(void) {
    static _Thread_local int known;
    if (known == 0) {
        char name[16] = "";
        prctl(PR_GET_NAME, name);
        known = strcmp(name, "rdk:mock") == 0 ? 1 : 2;
    }
    return known == 1;
}

static uint16_t peer_port(int descriptor) {
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    if (getpeername(descriptor, (struct sockaddr *)&peer, &length) != 0) return 0;
    return peer.sin_family == AF_INET ? ntohs(peer.sin_port) : 0;
}

static uint64_t hashed(uint64_t hash, const uint8_t *bytes, size_t count) {
    for (size_t i = 0; i < count; i++) hash = (hash ^ bytes[i]) * 0x100000001b3;
    return hash;
}

static uint8_t new_name_byte(uint32_t number, size_t place, size_t length) {
    size_t from_end = length - 1 - place;
    return from_end < 8 ? "0123456789abcdef"[(number >> (4 * from_end)) & 15] : 'r';
}

static void forget(int index) {
    waiting[index] = waiting[atomic_fetch_sub(&waiting_count, 1) - 1];
}

// Moves past a string with a 16-bit length; its beginning, or null where the bytes end before it does.
static const uint8_t *string(const uint8_t **at, const uint8_t *end, size_t *length) {
    if (end - *at < 2) return 0;
    int16_t count = (int16_t)((*at)[0] << 8 | (*at)[1]);
    const uint8_t *begin = *at + 2;
    *length = count < 0 ? 0 : (size_t)count;
    if ((size_t)(end - begin) < *length) return 0;
    *at = begin + *length;
    return begin;
}

// Looks at a request whose header was just read and whose body still lies in the socket.
static void arrived(int descriptor, const uint8_t *header) {
    int16_t api = (int16_t)(header[4] << 8 | header[5]);
    if (api != join_group && api != sync_group) return;
    int16_t version = (int16_t)(header[6] << 8 | header[7]);
    uint8_t body[peeked_bytes];
    ssize_t read = recv(descriptor, body, sizeof body, MSG_PEEK | MSG_DONTWAIT);
    if (read <= 0) return;
    const uint8_t *at = body, *end = body + read;
    size_t length;
    if (!string(&at, end, &length)) return;
    const uint8_t *group = string(&at, end, &length);
    if (!group) return;
    uint64_t member = hashed(0xcbf29ce484222325, group, length);
    at += api == join_group && version >= 1 ? 8 : 4;
    if (at >= end) return;
    const uint8_t *name = string(&at, end, &length);
    // Who has no name yet gets one that nobody has; one of three bytes cannot be made unlike all others.
    if (!name || length < 4) return;
    uint64_t unnamed = member;
    member = hashed(hashed(unnamed, (const uint8_t *)"/", 1), name, length);

    int conflicts = 0;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < waiting_count; i++) {
        struct waiting *other = &waiting[i];
        if (!pthread_equal(other->thread, pthread_self()) || other->api != api || other->member != member) continue;
        // A connection that waits is not read: one that is read again has its answer, or is another one by now.
        if (other->descriptor == descriptor || peer_port(other->descriptor) != other->peer_port) {
            forget(i--);
            continue;
        }
        conflicts = 1;
        // The mock cluster does not look whether a client that waits is still there.
        uint8_t byte;
        if (recv(other->descriptor, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) shutdown(other->descriptor, SHUT_RDWR);
    }
    if (conflicts) {
        renaming.descriptor = descriptor;
        renaming.offset = (size_t)(name - body);
        renaming.length = length;
        renaming.done = 0;
        renaming.number = atomic_fetch_add(&renamed_count, 1) + 1;
        member = hashed(unnamed, (const uint8_t *)"/", 1);
        for (size_t i = 0; i < length; i++) {
            uint8_t byte = new_name_byte(renaming.number, i, length);
            member = hashed(member, &byte, 1);
        }
    }
    if (waiting_count < max_waiting) {
        struct waiting *own = &waiting[atomic_fetch_add(&waiting_count, 1)];
        own->thread = pthread_self();
        own->member = member;
        memcpy(&own->correlation, header + 8, 4);
        own->descriptor = descriptor;
        own->peer_port = peer_port(descriptor);
        own->api = api;
    }
    pthread_mutex_unlock(&lock);
}

// Writes the new name over the old one in what was just read.
static void rename_in(const struct msghdr *message, size_t count) {
    size_t begin = 0;
    for (size_t v = 0; v < message->msg_iovlen && begin < count; v++) {
        uint8_t *bytes = message->msg_iov[v].iov_base;
        size_t here = message->msg_iov[v].iov_len < count - begin ? message->msg_iov[v].iov_len : count - begin;
        while (renaming.done < renaming.length && renaming.offset + renaming.done < begin + here) {
            size_t place = renaming.done++;
            bytes[renaming.offset + place - begin] = new_name_byte(renaming.number, place, renaming.length);
        }
        begin += here;
    }
    if (renaming.done == renaming.length) {
        renaming.descriptor = -1;
    } else {
        // The rest comes with the next read, whose bytes are counted from its own beginning.
        renaming.offset -= count;
    }
}

ssize_t recvmsg(int descriptor, struct msghdr *message, int flags) {
    ssize_t count = syscall(SYS_recvmsg, descriptor, message, flags);
    if (count <= 0 || !freshet_is_mock_thread()) return count;
    if (renaming.descriptor == descriptor) {
        rename_in(message, (size_t)count);
    } else if (count == header_bytes && message->msg_iovlen > 0 && message->msg_iov[0].iov_len == header_bytes) {
        arrived(descriptor, message->msg_iov[0].iov_base);
    }
    return count;
}

ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags) {
    if (waiting_count > 0 && message->msg_iovlen > 0 && message->msg_iov[0].iov_len >= 8 && freshet_is_mock_thread()) {
        pthread_mutex_lock(&lock);
        for (int i = 0; i < waiting_count; i++) {
            if (waiting[i].descriptor != descriptor || !pthread_equal(waiting[i].thread, pthread_self())) continue;
            if (memcmp(&waiting[i].correlation, (uint8_t *)message->msg_iov[0].iov_base + 4, 4) == 0) forget(i--);
        }
        pthread_mutex_unlock(&lock);
    }
    return syscall(SYS_sendmsg, descriptor, message, flags);
}

unsigned freshet_renamed_members(void) { return renamed_count; }

#else

int freshet_is_mock_thread(void) { return 0; }
unsigned freshet_renamed_members(void) { return 0; }

#endif

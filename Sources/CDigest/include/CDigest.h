#ifndef CDIGEST_H
#define CDIGEST_H

#include <stddef.h>
#include <stdint.h>

/// Adds whole blocks of 64 bytes to the eight words of a SHA-256 (FIPS 180-4, 6.2.2). Uses the processor's SHA extensions where it has
/// them.
void fd_sha256_blocks(uint32_t state[8], const uint8_t *bytes, size_t blocks);

/// The same without the extensions, for tests.
void fd_sha256_blocks_plain(uint32_t state[8], const uint8_t *bytes, size_t blocks);

#endif

/* SPDX-License-Identifier: ISC */
/* CRC-32C (Castagnoli), RFC 9260 appendix A; start with CRC 0. */
#ifndef SHIM_SPOOL_CRC32C_H
#define SHIM_SPOOL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t crc, const void *, size_t);
/* The same without help of the processor: what crc32c() is tested against. */
uint32_t crc32c_portable(uint32_t crc, const void *, size_t);

#endif /* SHIM_SPOOL_CRC32C_H */

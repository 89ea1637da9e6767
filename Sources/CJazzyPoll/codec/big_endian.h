/* Numbers in network byte order, on machines of either byte order, at any alignment. */
#ifndef JAZZY_CODEC_BIG_ENDIAN_H
#define JAZZY_CODEC_BIG_ENDIAN_H

#include <stdint.h>

static inline uint16_t jz_read_uint16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline uint32_t jz_read_uint32(const uint8_t *bytes)
{
    return (uint32_t)jz_read_uint16(bytes) << 16 | jz_read_uint16(bytes + 2);
}

static inline uint64_t jz_read_uint64(const uint8_t *bytes)
{
    return (uint64_t)jz_read_uint32(bytes) << 32 | jz_read_uint32(bytes + 4);
}

static inline void jz_write_uint16(uint8_t *bytes, uint16_t value)
{
    bytes[0] = (uint8_t)(value >> 8);
    bytes[1] = (uint8_t)value;
}

static inline void jz_write_uint32(uint8_t *bytes, uint32_t value)
{
    jz_write_uint16(bytes, (uint16_t)(value >> 16));
    jz_write_uint16(bytes + 2, (uint16_t)value);
}

static inline void jz_write_uint64(uint8_t *bytes, uint64_t value)
{
    jz_write_uint32(bytes, (uint32_t)(value >> 32));
    jz_write_uint32(bytes + 4, (uint32_t)value);
}

#endif

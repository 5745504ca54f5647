/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * What every measured message carries, whatever protocol is around it: who sent it, its number from that sender, and
 * when. Loss, doubles and order are judged by it. It is plain letters, so that it survives inside a JSON string, and it
 * is found by its mark, so that the generator need not parse the JSON that it is in.
 */
typedef struct
{
  uint32_t publisher;
  uint32_t counter;
  int64_t stamp; /* nanoseconds since the generator's start, 48 bits */
} LoadPayload;

#define LOAD_PAYLOAD_MARK "@@hk"
#define LOAD_PAYLOAD_MARK_LEN 4
#define LOAD_PAYLOAD_END '$'
/* mark, size, publisher, counter, stamp, end */
#define LOAD_PAYLOAD_MIN (LOAD_PAYLOAD_MARK_LEN + 4 + 4 + 8 + 12 + 1)

static inline uint8_t *
load_nibbles_write (uint8_t *at, uint64_t value, int digits)
{
  for (int i = digits - 1; i >= 0; i--, value >>= 4)
    at[i] = 'a' + (value & 15);
  return at + digits;
}

static inline uint64_t
load_nibbles_read (const uint8_t *at, int digits)
{
  uint64_t value = 0;
  for (int i = 0; i < digits; i++)
    value = value << 4 | (uint64_t)((at[i] - 'a') & 15);
  return value;
}

/* Fills exactly @size bytes, from LOAD_PAYLOAD_MIN to UINT16_MAX. */
static inline void
load_payload_write (uint8_t *at, size_t size, const LoadPayload *payload)
{
  uint8_t *end = at + size - 1;
  memcpy (at, LOAD_PAYLOAD_MARK, LOAD_PAYLOAD_MARK_LEN);
  at = load_nibbles_write (at + LOAD_PAYLOAD_MARK_LEN, size, 4);
  at = load_nibbles_write (at, payload->publisher, 4);
  at = load_nibbles_write (at, payload->counter, 8);
  at = load_nibbles_write (at, (uint64_t)payload->stamp, 12);
  memset (at, '.', (size_t)(end - at));
  *end = LOAD_PAYLOAD_END;
}

/*
 * @hint: where the last one was found: the same place, nearly always
 *
 * Returns: whether there is one, as long as it was when it was written and with its end
 */
static inline bool
load_payload_find (const uint8_t *data, size_t len, size_t *hint, LoadPayload *payload)
{
  const uint8_t *at;
  size_t left;
  size_t size;
  if (*hint + LOAD_PAYLOAD_MIN <= len && memcmp (data + *hint, LOAD_PAYLOAD_MARK, LOAD_PAYLOAD_MARK_LEN) == 0)
    at = data + *hint;
  else
    at = memmem (data, len, LOAD_PAYLOAD_MARK, LOAD_PAYLOAD_MARK_LEN);
  if (at == NULL)
    return false;
  left = (size_t)(data + len - at);
  if (left < LOAD_PAYLOAD_MIN)
    return false;
  size = (size_t)load_nibbles_read (at + LOAD_PAYLOAD_MARK_LEN, 4);
  if (size < LOAD_PAYLOAD_MIN || left < size || at[size - 1] != LOAD_PAYLOAD_END)
    return false;
  *hint = (size_t)(at - data);
  at += LOAD_PAYLOAD_MARK_LEN + 4;
  payload->publisher = (uint32_t)load_nibbles_read (at, 4);
  payload->counter = (uint32_t)load_nibbles_read (at + 4, 8);
  payload->stamp = (int64_t)load_nibbles_read (at + 12, 12);
  return true;
}

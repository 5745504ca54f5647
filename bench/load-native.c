/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* See load-native.h. */
#include "load-native.h"

#include <stdio.h>

const uint8_t *
load_native_find (const uint8_t *data, size_t len, const char *text)
{
  size_t n = strlen (text);
  const uint8_t *at = memmem (data, len, text, n);
  return at != NULL ? at + n : NULL;
}

bool
load_native_find_integer (const uint8_t *data, size_t len, const char *text, int64_t *value)
{
  const uint8_t *end = data + len;
  const uint8_t *at = load_native_find (data, len, text);
  const uint8_t *first;
  if (at != NULL && at < end && *at == '"')
    at++;
  if (at == NULL)
    return false;
  *value = 0;
  for (first = at; at < end && *at >= '0' && *at <= '9'; at++)
    *value = *value * 10 + (*at - '0');
  return at > first;
}

/* The type comes first in everything that the server says. */
bool
load_native_is (const uint8_t *data, size_t len, const char *type)
{
  static const char HEAD[] = "{\"type\":\"";
  size_t n = strlen (type);
  return len > sizeof HEAD + n && memcmp (data, HEAD, sizeof HEAD - 1) == 0
         && memcmp (data + sizeof HEAD - 1, type, n) == 0 && data[sizeof HEAD - 1 + n] == '"';
}

void
load_native_path (LoadConn *conn, char *out, size_t size)
{
  snprintf (out, size, "/ws/%s/", conn->account->token);
}

void
load_native_upgraded (LoadConn *conn)
{
  /* The server speaks first: welcome. */
}

bool
load_native_run_until (LoadEngine *engine, const uint64_t *done, uint64_t wanted)
{
  int64_t patience = (int64_t)(engine->options->patience * 1e9);
  int64_t deadline = load_engine_read_clock (engine) + patience;
  uint64_t seen = *done;
  while (*done < wanted && load_engine_turn (engine, 20))
    {
      if (*done > seen)
        {
          seen = *done;
          deadline = engine->now + patience;
        }
      else if (load_engine_read_clock (engine) > deadline)
        return false;
    }
  return !engine->failed;
}

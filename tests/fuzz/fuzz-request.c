/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The head of an HTTP request and what a WebSocket handshake reads from it: whatever comes is refused or understood. */
#include "transport/handshake.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static const HarkRoute route = { "/ws", 0, HARK_ROUTE_TOKEN };

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  /* Exactly as large as the bytes, so that a sanitizer sees a read behind them. */
  g_autofree char *copy = size > 0 ? g_memdup2 (data, size) : g_strdup ("");
  gsize scanned = 0;
  gsize len = hark_request_head_find_end (copy, size, &scanned);
  HarkRequestHead head;
  HarkHandshake handshake = { 0 };
  g_assert_cmpuint (len, <=, size);
  if (len == 0 || hark_request_head_parse (&head, copy, len, HARK_REQUEST_MAX_FIELDS) != NULL
      || hark_handshake_check_host (&head, NULL) != NULL)
    return 0;
  hark_handshake_check_origin (&head, NULL);
  if (hark_handshake_find_route (&route, 1, head.path) != NULL
      && hark_handshake_read (&handshake, &head, &route, TRUE) == NULL)
    {
      g_assert_true (handshake.token == NULL || strlen (handshake.token) <= HARK_MAX_TOKEN);
      g_assert_true (handshake.resume == NULL || strlen (handshake.resume) <= HARK_MAX_RESUME);
      g_assert_true (handshake.cursors == NULL || strlen (handshake.cursors) <= HARK_MAX_CURSORS);
    }
  hark_handshake_clear (&handshake);
  return 0;
}

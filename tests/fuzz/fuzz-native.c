/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The native codec: whatever comes, it is a request that points into its bytes, or an error of the table. */
#include "protocol/native.h"

#include "base/error.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
assert_inside (HarkJsonSlice slice, const uint8_t *data, size_t size)
{
  if (slice.len > 0)
    g_assert_true ((const uint8_t *)slice.data >= data && (const uint8_t *)slice.data + slice.len <= data + size);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  HarkNativeRequest request;
  g_autoptr (GError) error = NULL;
  gboolean understood = hark_native_decode ((const char *)data, size, &request, &error);
  g_assert_true (understood == (error == NULL));
  if (error != NULL)
    g_assert_true (error->domain == HARK_ERROR && error->code != HARK_ERROR_INTERNAL);
  assert_inside (request.ref, data, size);
  g_assert_true (request.ref.len <= HARK_NATIVE_MAX_REF);
  if (understood && hark_json_object_get (&request.args, "type") != NULL)
    assert_inside (request.type, data, size);
  return 0;
}

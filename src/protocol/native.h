/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-object.h"
#include "core/protocol.h"

G_BEGIN_DECLS

/* Bytes of a `ref`, as JSON. */
#define HARK_NATIVE_MAX_REF 64

/**
 * HarkNativeRequest:
 * @type: the request's name, decoded as far as it is without escapes
 * @ref: JSON text, of no length when there is none
 * @args: all members
 *
 * A message of the native protocol, pointing into its bytes.
 */
typedef struct
{
  HarkJsonSlice type;
  HarkJsonSlice ref;
  HarkJsonObject args;
} HarkNativeRequest;

gboolean hark_native_decode (const char *data, gsize len, HarkNativeRequest *request, GError **error);

#define HARK_TYPE_NATIVE (hark_native_get_type ())
G_DECLARE_FINAL_TYPE (HarkNative, hark_native, HARK, NATIVE, GObject)

HarkProtocol *hark_native_new (void);

G_END_DECLS

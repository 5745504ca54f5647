/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * HarkJsonSlice:
 *
 * Bytes inside the text that is being read; it owns nothing and has no 0 byte at its end. For a name or string it is
 * what stands between the quotes, with its escapes. The functions below take only such slices, and only from a
 * HarkJsonReader, which has checked them: they cannot fail.
 */
typedef struct
{
  const char *data;
  gsize len;
} HarkJsonSlice;

gsize hark_json_slice_get_decoded_len (HarkJsonSlice self);
gsize hark_json_slice_decode (HarkJsonSlice self, char *out);
gboolean hark_json_slice_decode_into (HarkJsonSlice self, char *out, gsize size, gsize *len);
gboolean hark_json_slice_has_nul (HarkJsonSlice self);
gboolean hark_json_slice_equal (HarkJsonSlice self, const char *text);
gboolean hark_json_slice_equal_slice (HarkJsonSlice self, HarkJsonSlice other);
guint64 hark_json_slice_hash (HarkJsonSlice self, gboolean escaped);

char *hark_json_string_dup (HarkJsonSlice slice, gsize *len);
char *hark_json_string_dup_c (HarkJsonSlice slice);

G_END_DECLS

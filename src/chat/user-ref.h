/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-object.h"
#include "core/transaction.h"

G_BEGIN_DECLS

/* Bytes of an id or a name. */
#define HARK_USER_REF_MAX 32

/**
 * HarkUserRef:
 *
 * Somebody as a request names them: by id, or by username. What is both is the id.
 */
typedef struct
{
  gint64 id; /* 0: not an id */
  char name[HARK_USER_REF_MAX + 1];
} HarkUserRef;

gboolean hark_user_ref_get (const HarkJsonObject *args, const char *field, HarkUserRef *out, GError **error);
gboolean hark_user_ref_find (const HarkUserRef *self, HarkTransaction *tx, const char *field, gint64 *user_id,
                             GError **error);

G_END_DECLS

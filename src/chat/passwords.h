/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/metrics.h"

G_BEGIN_DECLS

/* Bytes of a password; more would only be work for us. */
#define HARK_PASSWORD_MAX 1024

/**
 * HarkPasswordCost:
 * @operations: passes over the memory
 * @memory: bytes, of each computation
 * @threads: computations side by side
 * @queue: computations that wait for their turn; over it, %HARK_ERROR_OVERLOADED
 */
typedef struct
{
  guint operations;
  gsize memory;
  guint threads;
  guint queue;
} HarkPasswordCost;

/**
 * HarkPasswords:
 *
 * Makes and checks the hashes of passwords, which is meant to be slow: in threads of its own, so that neither the hub
 * nor the store waits for it.
 */
typedef struct _HarkPasswords HarkPasswords;

/**
 * HarkPasswordsFunc:
 * @right: whether the password was that of the hash; when one was made, %TRUE
 * @hash: (nullable): the hash that was made; of a check, one at the present cost, when the password was right and the
 *   old hash was made at another
 * @error: (nullable): %HARK_ERROR_OVERLOADED, %HARK_ERROR_OFFLINE when the hub ends, %HARK_ERROR_INTERNAL
 *
 * In the hub's thread, and never from within the call that asked for it.
 */
typedef void (*HarkPasswordsFunc) (gboolean right, const char *hash, const GError *error, gpointer data);

HarkPasswords *hark_passwords_new (HarkMetrics *metrics, const HarkPasswordCost *cost);
void hark_passwords_stop (HarkPasswords *self);
void hark_passwords_free (HarkPasswords *self);
void hark_passwords_make (HarkPasswords *self, const char *password, HarkPasswordsFunc func, gpointer data);
void hark_passwords_check (HarkPasswords *self, const char *password, const char *hash, HarkPasswordsFunc func,
                           gpointer data);

G_END_DECLS

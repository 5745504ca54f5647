/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "core/hub.h"

G_BEGIN_DECLS

/**
 * HarkTokenExpiry:
 *
 * Ends each session when its token runs out, to the millisecond, and tells it some time before.
 */
typedef struct _HarkTokenExpiry HarkTokenExpiry;

HarkTokenExpiry *hark_token_expiry_new (HarkHub *hub, guint warning_ms);
void hark_token_expiry_free (HarkTokenExpiry *self);
void hark_token_expiry_renew (HarkTokenExpiry *self, HarkSession *session);
/* For another process. */
gboolean hark_token_expiry_has_warned (HarkTokenExpiry *self, HarkSession *session);
void hark_token_expiry_restore (HarkTokenExpiry *self, HarkSession *session, gboolean warned);

G_END_DECLS
